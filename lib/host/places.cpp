#include "host/places.hpp"

#include <algorithm>
#include <deque>

#include "base/error.hpp"

namespace pgbakd::host {
namespace {

constexpr int most_links = 40;  // as the kernel has it

std::vector<os::MountEntry> mounts_or_none() {
    try {
        return os::mounts();
    } catch (const base::Error&) {
        return {};
    }
}

}  // namespace

Places::Places() : mounts_(mounts_or_none()) {}

bool Places::begins_elsewhere(const std::filesystem::path& path) const {
    return std::any_of(mounts_.begin(), mounts_.end(),
                       [&](const os::MountEntry& mount) { return mount.point == path && os::may_hang(mount); });
}

std::filesystem::path Places::resolve(const std::filesystem::path& path) const {
    std::deque<std::filesystem::path> left(path.begin(), path.end());
    std::filesystem::path there;
    int links = 0;
    bool looking = true;
    while (!left.empty()) {
        const auto name = left.front();
        left.pop_front();
        if (name == "..") {
            there = there.parent_path();
            continue;
        }
        if (name.empty() || name == ".") continue;
        const auto next = there / name;
        std::error_code failure;
        looking = looking && !begins_elsewhere(next);
        if (looking && std::filesystem::is_symlink(next, failure) && ++links <= most_links) {
            const auto to = std::filesystem::read_symlink(next, failure);
            if (!failure) {
                left.insert(left.begin(), to.begin(), to.end());
                continue;
            }
        }
        there = next;
    }
    return there;
}

std::filesystem::path Places::disk_of(const std::filesystem::path& path) const {
    const auto* mount = os::mount_by_name(mounts_, resolve(path));
    const auto* root = os::mount_by_name(mounts_, "/");
    if (mount == nullptr || !os::is_disk(*mount) || (root != nullptr && root->device == mount->device)) return {};
    return mount->point;
}

}  // namespace pgbakd::host
