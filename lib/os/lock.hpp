// A lock that a dead holder cannot keep: flock(2) on a file, released by the kernel with its last descriptor.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "os/descriptor.hpp"

namespace pgbakd::os {

class FileLock {
  public:
    // Nothing if somebody else holds it (holder() tells who). The file is created (0600) and holds the holder's text
    // while it is locked; it is never removed, since removing it would let two hold it.
    [[nodiscard]] static std::optional<FileLock> try_lock(const std::filesystem::path& path, const std::string& holder);
    // What the present or last holder wrote about itself; at most 1 KiB.
    [[nodiscard]] static std::string holder(const std::filesystem::path& path);

  private:
    explicit FileLock(Descriptor file) noexcept : file_(std::move(file)) {}
    Descriptor file_;
};

}  // namespace pgbakd::os
