// Whether something is mounted where it has to be. All of it blocks, and may hang as long as the mount's server does.
#pragma once

#include <cstdint>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "os/descriptor.hpp"

namespace pgbakd::target {

struct Mount {
    // Where its file system begins: a directory that is mounted on itself, as systemd's ReadWritePaths= does, is none.
    std::filesystem::path point;
    std::string device;    // of the file system; what is mounted twice has one
    std::string type;      // "nfs4"
    std::uint64_t id = 0;  // the kernel's, of the mounting that the path is on
    friend bool operator==(const Mount&, const Mount&) = default;
};

// The mount that `path` is on, or would be: that of its nearest parent that exists. Symbolic links are followed.
// Source: statx(2), STATX_ATTR_MOUNT_ROOT and STATX_MNT_ID (Linux 5.8); unsupported on older kernels.
[[nodiscard]] Mount mount_of(const std::filesystem::path& path);

struct MountRule {
    std::filesystem::path path;        // what has to be on a mount of its own
    std::filesystem::path point;       // where that has to be mounted; empty: anywhere
    std::filesystem::path repository;  // on another file system than this; empty: not known
};

// What a look at them has found.
struct MountFacts {
    Mount mount;  // of the path
    Mount root;   // of "/"
    std::optional<Mount> repository{};
    std::optional<Mount> named{};                        // of the rule's point
    std::filesystem::path named_point{};                 // that point, links resolved
    std::optional<std::filesystem::path> known_point{};  // where the path's mount was when all was well
};
// Why that is not as it has to be, as "it is on the root file system"; empty: it is.
[[nodiscard]] std::string mount_problem(const MountRule& rule, const MountFacts& facts);

// Keeps watch over a directory that has to be on a mount of its own. Safe on any thread.
class MountGuard {
  public:
    explicit MountGuard(MountRule rule) : rule_(std::move(rule)) {}
    // Throws unreachable (passing) if it is not. Without a named point also if the mount that was there before has
    // gone: what it was mounted below may be a disk of this host, too. One that comes is taken as it comes.
    Mount check();
    // That what is open is on the mount that check() told of: between a look and an open anything can be unmounted.
    void check_open(const Mount& mount, const os::Descriptor& opened) const;

  private:
    MountRule rule_;
    std::mutex mutex_;
    std::optional<std::filesystem::path> known_point_;
};

}  // namespace pgbakd::target
