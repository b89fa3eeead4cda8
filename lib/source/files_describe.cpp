#include "source/files_describe.hpp"

#include <sys/sysmacros.h>

#include <string_view>
#include <utility>

#include "base/error.hpp"
#include "os/user.hpp"
#include "source/files_acl.hpp"

namespace pgbakd::source {
namespace {

using Type = codec::TreeMember::Type;
using Tag = codec::AclEntry::Tag;

// What readers of a tar take for an extended header, ours too, is 1 MiB.
constexpr std::size_t most_attributes = std::size_t{512} << 10U;

constexpr std::size_t most_names = 10'000;

template <class Find>
const std::string& name_of(std::map<std::uint32_t, std::string>& known, std::uint32_t id, Find find) {
    if (const auto at = known.find(id); at != known.end()) return at->second;
    if (known.size() >= most_names) known.clear();
    return known.emplace(id, find(id).value_or("")).first->second;
}

Type type_of(mode_t mode) {
    switch (mode & S_IFMT) {
        case S_IFDIR: return Type::directory;
        case S_IFLNK: return Type::symbolic_link;
        case S_IFIFO: return Type::fifo;
        case S_IFCHR: return Type::character_device;
        case S_IFBLK: return Type::block_device;
        default: return Type::file;
    }
}

std::vector<codec::AclEntry> acl_of(std::string_view value, FilesOwners& owners) {
    auto acl = parse_acl(value).value();
    for (auto& entry : acl) {
        if (entry.tag == Tag::user) entry.name = owners.user(entry.id);
        if (entry.tag == Tag::group) entry.name = owners.group(entry.id);
    }
    return acl;
}

}  // namespace

const std::string& FilesOwners::user(std::uint32_t id) {
    return name_of(users_, id, os::name_of_user);
}

const std::string& FilesOwners::group(std::uint32_t id) {
    return name_of(groups_, id, os::name_of_group);
}

std::string member_path(const std::string& path) {
    return path == "/" ? "." : path.substr(1);
}

codec::TreeMember describe(const std::string& path, const os::Entry& entry, FilesOwners& owners, FilesReport& report) {
    const auto& status = entry.status();
    codec::TreeMember member;
    member.path = member_path(path);
    member.type = type_of(status.st_mode);
    member.mode = status.st_mode & 07777U;
    member.owner = status.st_uid;
    member.group = status.st_gid;
    member.owner_name = owners.user(status.st_uid);
    member.group_name = owners.group(status.st_gid);
    member.modified_seconds = status.st_mtim.tv_sec;
    member.modified_nanoseconds = static_cast<std::uint32_t>(status.st_mtim.tv_nsec);
    member.device_major = gnu_dev_major(status.st_rdev);
    member.device_minor = gnu_dev_minor(status.st_rdev);
    if (member.type == Type::symbolic_link) member.target = entry.link_target(path);
    try {
        for (auto& [name, value] : entry.attributes(most_attributes, path)) {
            if (name == access_acl_attribute)
                member.access = acl_of(value, owners);
            else if (name == default_acl_attribute)
                member.by_default = acl_of(value, owners);
            else if (!name.starts_with("system."))  // the file system's own view of what is stored already
                member.attributes.emplace_back(std::move(name), std::move(value));
        }
    } catch (const base::Error& error) {
        report.failed(path, "stored without its extended attributes: " + error.message());
    }
    return member;
}

}  // namespace pgbakd::source
