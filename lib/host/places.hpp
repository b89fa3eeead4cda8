// Where the paths of a configuration lead on this host, told without waiting for any server.
#pragma once

#include <filesystem>
#include <vector>

#include "os/mounts.hpp"

namespace pgbakd::host {

class Places {
  public:
    Places();  // with what is mounted now; where that cannot be told, with nothing
    explicit Places(std::vector<os::MountEntry> mounts) : mounts_(std::move(mounts)) {}

    // `path` with its symbolic links followed, as far as they lie on file systems of this host: where another one
    // begins, and where nothing is yet, the rest stays as it is.
    [[nodiscard]] std::filesystem::path resolve(const std::filesystem::path& path) const;
    // The mount point of the disk that `path` is on, if that is a disk of this host and another one than that of "/";
    // else empty.
    [[nodiscard]] std::filesystem::path disk_of(const std::filesystem::path& path) const;

  private:
    [[nodiscard]] bool begins_elsewhere(const std::filesystem::path& path) const;
    std::vector<os::MountEntry> mounts_;
};

}  // namespace pgbakd::host
