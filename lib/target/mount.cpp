#include "target/mount.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "os/mounts.hpp"

namespace pgbakd::target {
namespace {

using base::Error;
using base::ErrorCode;

constexpr int looks = 5;

// Nothing if there is no such file. The look itself brings an automount about.
std::optional<std::uint64_t> mount_id(int directory, const std::filesystem::path& name, int flags) {
    struct statx found {};
    if (::statx(directory, name.c_str(), flags, STATX_TYPE | STATX_MNT_ID, &found) != 0) {
        if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
        throw base::error_from_errno(errno, "looking at " + name.native());
    }
    if ((found.stx_mask & STATX_MNT_ID) == 0)
        throw Error(ErrorCode::unsupported, "this kernel does not tell what is a mount point",
                    "use Linux 5.8 or newer, or set require_mount: false");
    return found.stx_mnt_id;
}

// Mounts come and go while they are looked at: nothing then.
class Look {
  public:
    std::optional<Mount> at(std::filesystem::path point) const {
        const auto* mount = entry(point);
        if (mount == nullptr) return std::nullopt;
        const auto id = mount->id;
        while (point != point.parent_path()) {
            const auto* above = entry(point.parent_path());
            if (above == nullptr) return std::nullopt;
            if (above->device != mount->device) break;
            point = point.parent_path();
        }
        return Mount{point, mount->device, mount->type, id};
    }

  private:
    const os::MountEntry* entry(const std::filesystem::path& path) const {
        const auto id = mount_id(AT_FDCWD, path, 0);
        const auto found =
            std::find_if(mounts_.begin(), mounts_.end(), [&](const os::MountEntry& mount) { return mount.id == id; });
        return found == mounts_.end() ? nullptr : &*found;
    }
    std::vector<os::MountEntry> mounts_ = os::mounts();
};

Error not_mounted(const std::filesystem::path& path, std::string_view fact) {
    return {ErrorCode::unreachable, fmt::format("{} is not on a mount of its own: {}", path.native(), fact),
            "mount it, or set require_mount: false if it is meant to be on a disk of this host",
            base::Persistence::passing};
}

bool lies_in(const std::filesystem::path& inner, const std::filesystem::path& outer) {
    return std::mismatch(outer.begin(), outer.end(), inner.begin(), inner.end()).first == outer.end();
}

std::filesystem::path resolved(const std::filesystem::path& path) {
    std::error_code failure;
    auto found = std::filesystem::weakly_canonical(path, failure);
    if (failure) throw base::error_from_errno(failure.value(), "looking at " + path.native());
    return found;
}

}  // namespace

Mount mount_of(const std::filesystem::path& path) {
    auto there = std::filesystem::absolute(path).lexically_normal();
    while (!mount_id(AT_FDCWD, there, 0) && there != there.parent_path()) there = there.parent_path();
    const auto point = resolved(there);
    for (int look = 0; look < looks; ++look)
        if (const auto found = Look().at(point)) return *found;
    throw Error(ErrorCode::unreachable, fmt::format("what {} is mounted on cannot be told", point.native()),
                "/proc/self/mountinfo does not list it", base::Persistence::passing);
}

std::string mount_problem(const MountRule& rule, const MountFacts& facts) {
    const auto& mount = facts.mount;
    const auto nothing_on = [](const std::filesystem::path& point) {
        return fmt::format("nothing is mounted on {}", point.native());
    };
    if (facts.named && (facts.named->point != facts.named_point || facts.named->type == "autofs"))
        return nothing_on(rule.point);
    if (mount.type == "autofs") return nothing_on(mount.point);
    if (mount.device == facts.root.device) return "it is on the root file system";
    if (facts.repository && mount.device == facts.repository->device)
        return fmt::format("it is on the file system of the repository, {}", mount.point.native());
    if (facts.named && !lies_in(mount.point, facts.named_point))
        return fmt::format("it is on {} and not on {}", mount.point.native(), rule.point.native());
    if (!facts.named && facts.known_point && !lies_in(mount.point, *facts.known_point))
        return fmt::format("it was on {} and is on {} now", facts.known_point->native(), mount.point.native());
    return {};
}

Mount MountGuard::check() {
    MountFacts facts{.mount = mount_of(rule_.path), .root = mount_of("/")};
    if (!rule_.repository.empty()) facts.repository = mount_of(rule_.repository);
    if (!rule_.point.empty()) {
        facts.named = mount_of(rule_.point);
        facts.named_point = resolved(rule_.point);
    }
    const std::lock_guard lock(mutex_);
    facts.known_point = known_point_;
    const auto problem = mount_problem(rule_, facts);
    if (!problem.empty()) throw not_mounted(rule_.path, problem);
    known_point_ = facts.mount.point;
    return facts.mount;
}

void MountGuard::check_open(const Mount& mount, const os::Descriptor& opened) const {
    if (mount_id(opened.get(), "", AT_EMPTY_PATH) != mount.id)
        throw not_mounted(rule_.path, "what was opened there is on another file system");
}

}  // namespace pgbakd::target
