#include "codec/tree_writer.hpp"

#include <archive_entry.h>
#include <fmt/format.h>
#include <sys/types.h>

#include <algorithm>
#include <array>
#include <cstddef>

#include "base/utf8.hpp"
#include "codec/pax_header.hpp"

namespace pgbakd::codec {
namespace {

using base::Error;
using base::ErrorCode;
using base::Status;

bool is_utf8(std::string_view text) {
    while (!text.empty()) {
        const auto length = base::utf8_length(text);
        if (length == 0) return false;
        text.remove_prefix(length);
    }
    return true;
}

unsigned file_type(TreeMember::Type type) {
    switch (type) {
        case TreeMember::Type::file:
        case TreeMember::Type::hard_link: return AE_IFREG;
        case TreeMember::Type::directory: return AE_IFDIR;
        case TreeMember::Type::symbolic_link: return AE_IFLNK;
        case TreeMember::Type::fifo: return AE_IFIFO;
        case TreeMember::Type::character_device: return AE_IFCHR;
        case TreeMember::Type::block_device: return AE_IFBLK;
    }
    return AE_IFREG;
}

int acl_tag(AclEntry::Tag tag) {
    switch (tag) {
        case AclEntry::Tag::owner: return ARCHIVE_ENTRY_ACL_USER_OBJ;
        case AclEntry::Tag::user: return ARCHIVE_ENTRY_ACL_USER;
        case AclEntry::Tag::owning_group: return ARCHIVE_ENTRY_ACL_GROUP_OBJ;
        case AclEntry::Tag::group: return ARCHIVE_ENTRY_ACL_GROUP;
        case AclEntry::Tag::mask: return ARCHIVE_ENTRY_ACL_MASK;
        case AclEntry::Tag::other: return ARCHIVE_ENTRY_ACL_OTHER;
    }
    return ARCHIVE_ENTRY_ACL_OTHER;
}

void add_acl(archive_entry* entry, int type, const std::vector<AclEntry>& acl) {
    for (const auto& one : acl) {
        const bool qualified = one.tag == AclEntry::Tag::user || one.tag == AclEntry::Tag::group;
        archive_entry_acl_add_entry(entry, type, static_cast<int>(one.permissions), acl_tag(one.tag),
                                    qualified ? static_cast<int>(one.id) : -1,
                                    qualified && !one.name.empty() ? one.name.c_str() : nullptr);
    }
}

// libarchive puts the nanoseconds behind the seconds as they are, also where those count backwards.
std::pair<time_t, long> written_time(const TreeMember& member) {
    if (member.modified_seconds >= 0 || member.modified_nanoseconds == 0)
        return {member.modified_seconds, member.modified_nanoseconds};
    if (member.modified_seconds == -1) return {-1, 0};  // there is no "-0"
    return {member.modified_seconds + 1, 1'000'000'000L - member.modified_nanoseconds};
}

// An empty piece at the end where there is nothing but holes: without any piece a file is not sparse.
std::vector<Extent> stored_extents(const TreeMember& member) {
    if (member.data.empty()) return {{member.size, 0}};
    return member.data;
}

void fill(archive_entry* entry, const TreeMember& member) {
    archive_entry_set_pathname(entry, member.path.c_str());
    archive_entry_set_filetype(entry, file_type(member.type));
    archive_entry_set_perm(entry, member.mode & 07777U);
    archive_entry_set_size(entry, static_cast<la_int64_t>(member.size));
    archive_entry_set_uid(entry, member.owner);
    archive_entry_set_gid(entry, member.group);
    if (!member.owner_name.empty()) archive_entry_set_uname(entry, member.owner_name.c_str());
    if (!member.group_name.empty()) archive_entry_set_gname(entry, member.group_name.c_str());
    const auto [seconds, nanoseconds] = written_time(member);
    archive_entry_set_mtime(entry, seconds, nanoseconds);
    if (member.type == TreeMember::Type::symbolic_link) archive_entry_set_symlink(entry, member.target.c_str());
    if (member.type == TreeMember::Type::hard_link) {
        archive_entry_set_hardlink(entry, member.target.c_str());
        return;  // the rest is with the member that holds the file
    }
    if (member.type == TreeMember::Type::character_device || member.type == TreeMember::Type::block_device) {
        archive_entry_set_rdevmajor(entry, member.device_major);
        archive_entry_set_rdevminor(entry, member.device_minor);
    }
    if (member.sparse)
        for (const auto& extent : stored_extents(member))
            archive_entry_sparse_add_entry(entry, static_cast<la_int64_t>(extent.offset),
                                           static_cast<la_int64_t>(extent.length));
    for (const auto& [name, value] : member.attributes)
        archive_entry_xattr_add_entry(entry, name.c_str(), value.data(), value.size());
    add_acl(entry, ARCHIVE_ENTRY_ACL_TYPE_ACCESS, member.access);
    add_acl(entry, ARCHIVE_ENTRY_ACL_TYPE_DEFAULT, member.by_default);
}

}  // namespace

Status TreeWriter::begin(const TreeMember& member) {
    path_ = member.path;
    position_ = 0;
    missing_ = 0;
    extents_.clear();
    if (member.type == TreeMember::Type::file)
        extents_ = member.sparse ? member.data : std::vector<Extent>{{0, member.size}};
    for (const auto& extent : extents_) missing_ += extent.length;
    extent_ = 0;

    fill(output_.new_entry(), member);
    auto blocks = output_.format_header(path_);
    if (!blocks) return blocks.error();
    // GNU tar does not know this word and warns of it, so it stands only where it says something.
    if (is_utf8(member.path) && is_utf8(member.target) && is_utf8(member.owner_name) && is_utf8(member.group_name))
        blocks = without_pax_record(*blocks, "hdrcharset");
    if (!blocks) return blocks.error();
    // Of a long name libarchive (3.6.2) puts here only what fits the old header, and GNU tar believes that.
    if (member.sparse && has_pax_record(*blocks, "path")) blocks = without_pax_record(*blocks, "GNU.sparse.name");
    if (!blocks) return blocks.error();
    if (auto status = output_.write_raw(*blocks); !status) return status;
    // libarchive writes the list of holes before the first byte, and without any not at all.
    if (member.type == TreeMember::Type::file && member.sparse && extents_.empty())
        return skip_to(std::min<std::uint64_t>(member.size, 1));
    return {};
}

// libarchive wants the bytes of holes too, and drops them.
Status TreeWriter::skip_to(std::uint64_t offset) {
    static constexpr std::array<std::byte, std::size_t{64} << 10U> zeros{};
    while (position_ < offset) {
        const auto count = std::min<std::uint64_t>(zeros.size(), offset - position_);
        if (auto status = output_.write(Bytes(zeros).first(count), path_); !status) return status;
        position_ += count;
    }
    return {};
}

Status TreeWriter::write(Bytes bytes) {
    if (bytes.size() > missing_) return Error(ErrorCode::conflict, fmt::format("{} grew while it was read", path_));
    while (!bytes.empty()) {
        const auto& extent = extents_[extent_];
        const auto end = extent.offset + extent.length;
        if (position_ == end) {
            ++extent_;
            continue;
        }
        if (auto status = skip_to(extent.offset); !status) return status;
        const auto count = std::min<std::uint64_t>(bytes.size(), end - position_);
        if (auto status = output_.write(bytes.first(count), path_); !status) return status;
        bytes = bytes.subspan(count);
        position_ += count;
        missing_ -= count;
    }
    return {};
}

Status TreeWriter::end() {
    if (missing_ > 0)
        return Error(ErrorCode::conflict,
                     fmt::format("{} shrank while it was read: {} bytes are missing", path_, missing_));
    return output_.end_member(path_);
}

}  // namespace pgbakd::codec
