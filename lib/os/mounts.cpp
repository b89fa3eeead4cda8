#include "os/mounts.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/text.hpp"
#include "os/file.hpp"

namespace pgbakd::os {
namespace {

constexpr std::size_t largest_list = std::size_t{64} << 20U;

bool is_octal(char c) {
    return c >= '0' && c <= '7';
}

// "\040" is a space.
std::string unescaped(std::string_view text) {
    std::string plain;
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] == '\\' && at + 3 < text.size() && std::all_of(&text[at + 1], &text[at + 1] + 3, is_octal)) {
            plain += static_cast<char>((text[at + 1] - '0') * 64 + (text[at + 2] - '0') * 8 + (text[at + 3] - '0'));
            at += 3;
        } else {
            plain += text[at];
        }
    }
    return plain;
}

bool lies_in(const std::filesystem::path& inner, const std::filesystem::path& outer) {
    return std::mismatch(outer.begin(), outer.end(), inner.begin(), inner.end()).first == outer.end();
}

}  // namespace

std::vector<MountEntry> parse_mounts(std::string_view mountinfo) {
    std::vector<MountEntry> found;
    for (const auto line : base::split(mountinfo, '\n')) {
        // id parent device root point options optional… - type source options
        const auto fields = base::split(line, ' ');
        const auto dash = std::find(fields.begin(), fields.end(), "-");
        if (dash - fields.begin() < 6 || fields.end() - dash < 3) continue;
        MountEntry mount;
        const auto id = fields[0];
        if (std::from_chars(id.data(), id.data() + id.size(), mount.id).ec != std::errc()) continue;
        mount.device = fields[2];
        mount.point = unescaped(fields[4]);
        mount.type = unescaped(*(dash + 1));
        mount.source = unescaped(*(dash + 2));
        found.push_back(std::move(mount));
    }
    return found;
}

std::vector<MountEntry> mounts() {
    return parse_mounts(read_file("/proc/self/mountinfo", largest_list));
}

bool is_disk(const MountEntry& mount) noexcept {
    return mount.source.starts_with("/dev/") && !mount.type.starts_with("fuse");
}

bool may_hang(const MountEntry& mount) noexcept {
    constexpr std::array<std::string_view, 9> own{"tmpfs", "ramfs",   "devtmpfs", "proc",    "sysfs",
                                                  "zfs",   "overlay", "squashfs", "bcachefs"};
    return !is_disk(mount) && std::find(own.begin(), own.end(), mount.type) == own.end();
}

const MountEntry* mount_by_name(const std::vector<MountEntry>& mounts, const std::filesystem::path& path) {
    const MountEntry* best = nullptr;
    for (const auto& mount : mounts)
        if (lies_in(path, mount.point) &&
            (best == nullptr || mount.point.native().size() >= best->point.native().size()))
            best = &mount;
    return best;
}

}  // namespace pgbakd::os
