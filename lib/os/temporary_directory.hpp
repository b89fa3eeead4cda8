// A directory for what a program needs for a moment, removed with all in it.
#pragma once

#include <filesystem>

namespace pgbakd::os {

class TemporaryDirectory {
  public:
    // Mode 0700, below $TMPDIR or /tmp. Throws what cannot be made. Blocks, and so does its end.
    TemporaryDirectory();
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
    // What cannot be removed stays: it holds nothing of worth.
    ~TemporaryDirectory();

    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

  private:
    std::filesystem::path path_;
};

}  // namespace pgbakd::os
