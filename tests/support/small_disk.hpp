// A small file system of a test's own, which can be filled. Mounting needs root: `mounted()` says whether there is one,
// and if not prints the line by which ctest knows a skipped test.
#pragma once

#include <sys/mount.h>

#include <iostream>
#include <string>

#include "support/temporary_directory.hpp"

namespace support {

class SmallDisk {
  public:
    explicit SmallDisk(const std::string& size = "256k") {
        const auto options = "size=" + size + ",mode=0700";
        mounted_ = ::mount("tmpfs", directory_.path().c_str(), "tmpfs", 0, options.c_str()) == 0;
    }
    SmallDisk(const SmallDisk&) = delete;
    SmallDisk& operator=(const SmallDisk&) = delete;
    ~SmallDisk() {
        if (mounted_) ::umount2(directory_.path().c_str(), MNT_DETACH);
    }
    [[nodiscard]] bool mounted() const {
        if (!mounted_) std::cout << "SKIPPED: a small file system can only be mounted by root\n";
        return mounted_;
    }
    [[nodiscard]] const std::filesystem::path& path() const { return directory_.path(); }

  private:
    TemporaryDirectory directory_;
    bool mounted_ = false;
};

}  // namespace support
