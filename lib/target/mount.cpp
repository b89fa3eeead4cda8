#include "target/mount.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>

namespace pgbakd::target {
namespace {

using base::Error;
using base::ErrorCode;

struct Found {
    bool is_mount_root = false;
    std::uint64_t mount = 0;
};

// Nothing if there is no such file. The look itself brings an automount about.
std::optional<Found> look(int directory, const std::filesystem::path& name, int flags) {
    struct statx found {};
    if (::statx(directory, name.c_str(), flags, STATX_TYPE | STATX_MNT_ID, &found) != 0) {
        if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
        throw base::error_from_errno(errno, "looking at " + name.native());
    }
    if ((found.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) == 0 || (found.stx_mask & STATX_MNT_ID) == 0)
        throw Error(ErrorCode::unsupported, "this kernel does not tell what is a mount point",
                    "use Linux 5.8 or newer, or set require_mount: false");
    return Found{(found.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0, found.stx_mnt_id};
}

Error not_mounted(const std::filesystem::path& path, std::string_view fact) {
    return {ErrorCode::unreachable, fmt::format("{} is not on a mount of its own: {}", path.native(), fact),
            "mount it, or set require_mount: false if it is meant to be on a disk of this host",
            base::Persistence::passing};
}

}  // namespace

Mount mount_of(const std::filesystem::path& path) {
    auto there = std::filesystem::absolute(path).lexically_normal();
    while (!look(AT_FDCWD, there, 0) && there != there.parent_path()) there = there.parent_path();
    std::error_code failure;
    auto point = std::filesystem::canonical(there, failure);
    if (failure) throw base::error_from_errno(failure.value(), "looking at " + there.native());
    for (;;) {
        const auto found = look(AT_FDCWD, point, 0);
        if (!found) throw base::error_from_errno(ENOENT, "looking at " + point.native());
        if (found->is_mount_root || point == point.parent_path()) return {point, found->mount};
        point = point.parent_path();
    }
}

Mount MountGuard::check() {
    auto mount = mount_of(path_);
    if (mount.point == "/") throw not_mounted(path_, "it is on the root file system");
    const std::lock_guard lock(mutex_);
    if (!first_point_) first_point_ = mount.point;
    if (*first_point_ != mount.point)
        throw not_mounted(path_,
                          fmt::format("it was on {} and is on {} now", first_point_->native(), mount.point.native()));
    return mount;
}

void MountGuard::check_file(const os::Descriptor& file) {
    const auto mount = check();
    const auto found = look(file.get(), "", AT_EMPTY_PATH);
    if (!found || found->mount != mount.id) throw not_mounted(path_, "a new file came to be on another file system");
}

}  // namespace pgbakd::target
