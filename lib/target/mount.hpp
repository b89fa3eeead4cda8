// Whether something is mounted where it has to be. All of it blocks, and may hang as long as the mount's server does.
#pragma once

#include <cstdint>
#include <filesystem>
#include <mutex>
#include <optional>

#include "base/error.hpp"
#include "os/descriptor.hpp"

namespace pgbakd::target {

struct Mount {
    std::filesystem::path point;
    std::uint64_t id = 0;  // the kernel's, of this mounting of it
    friend bool operator==(const Mount&, const Mount&) = default;
};

// The mount that `path` is on, or would be: that of its nearest parent that exists. Symbolic links are followed.
// Source: statx(2), STATX_ATTR_MOUNT_ROOT and STATX_MNT_ID (Linux 5.8); unsupported on older kernels.
[[nodiscard]] Mount mount_of(const std::filesystem::path& path);

// Keeps watch over a directory that has to be on a mount of its own. Safe on any thread.
class MountGuard {
  public:
    explicit MountGuard(std::filesystem::path path) : path_(std::move(path)) {}
    // Throws unreachable (passing) if the directory is on the root file system, or on another mount point than when it
    // was looked at first: what it is mounted below may be a disk of this host, too.
    Mount check();
    // The same, and that the open file is on that mount: between a look and an open anything can be unmounted.
    void check_file(const os::Descriptor& file);

  private:
    std::filesystem::path path_;
    std::mutex mutex_;
    std::optional<std::filesystem::path> first_point_;
};

}  // namespace pgbakd::target
