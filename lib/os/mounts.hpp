// What is mounted where, as the kernel lists it for this process.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace pgbakd::os {

struct MountEntry {
    std::uint64_t id = 0;  // statx(2)'s STATX_MNT_ID
    // Of the file system as a whole, "8:1". stat's device tells less: subvolumes of btrfs have one each.
    std::string device;
    std::filesystem::path point;
    std::string type;    // "nfs4"
    std::string source;  // "/dev/sda1", "nas:/export"
};

// Source: proc_pid_mountinfo(5). Lines of another form are passed over.
[[nodiscard]] std::vector<MountEntry> parse_mounts(std::string_view mountinfo);
// Asks no file system anything, so that it never hangs. Throws base::Error where /proc cannot be read.
[[nodiscard]] std::vector<MountEntry> mounts();

// On a block device of this host.
[[nodiscard]] bool is_disk(const MountEntry& mount) noexcept;
// Whether a look at it may wait for a server: whatever is not known to be this host's own.
[[nodiscard]] bool may_hang(const MountEntry& mount) noexcept;
// By the names alone: the mount that `path` is on, the latest where several have one point; null if there is none.
[[nodiscard]] const MountEntry* mount_by_name(const std::vector<MountEntry>& mounts, const std::filesystem::path& path);

}  // namespace pgbakd::os
