// A file of the repository that is open for being sent: it stays the same file when its set is committed by a rename
// meanwhile, or deleted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <vector>

#include "os/file.hpp"

namespace pgbakd::offsite {

class LocalFile {
  public:
    // Blocks, as read() does.
    explicit LocalFile(std::filesystem::path path) : path_(std::move(path)), file_(os::open_for_reading(path_)) {}

    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
    // Up to `count` bytes; fewer only at the end of the file.
    [[nodiscard]] std::vector<std::byte> read(std::uint64_t offset, std::size_t count) const {
        std::vector<std::byte> bytes;
        read(bytes, offset, count);
        return bytes;
    }
    // The same instead of what is in `bytes`.
    void read(std::vector<std::byte>& bytes, std::uint64_t offset, std::size_t count) const {
        bytes.resize(count);
        bytes.resize(os::read_at(file_, bytes, offset, path_));
    }

  private:
    std::filesystem::path path_;
    os::Descriptor file_;
};

}  // namespace pgbakd::offsite
