// Makes reading a file fail with EIO, as a bad sector does, for as long as it lives: what the kernel lays over it is a
// file whose first page cannot be read. Mounting needs root: `mounted()` says whether it could, and if not prints the
// line by which ctest knows a skipped test.
#pragma once

#include <sys/mount.h>

#include <filesystem>
#include <iostream>

namespace support {

class UnreadableFile {
  public:
    explicit UnreadableFile(std::filesystem::path path) : path_(std::move(path)) {
        // Nothing is mapped at address 0, where the reading begins: proc(5), /proc/pid/mem.
        mounted_ = ::mount("/proc/self/mem", path_.c_str(), nullptr, MS_BIND, nullptr) == 0;
    }
    UnreadableFile(const UnreadableFile&) = delete;
    UnreadableFile& operator=(const UnreadableFile&) = delete;
    ~UnreadableFile() {
        if (mounted_) ::umount2(path_.c_str(), MNT_DETACH);
    }
    [[nodiscard]] bool mounted() const {
        if (!mounted_) std::cout << "SKIPPED: a file that cannot be read can only be made by root\n";
        return mounted_;
    }

  private:
    std::filesystem::path path_;
    bool mounted_ = false;
};

}  // namespace support
