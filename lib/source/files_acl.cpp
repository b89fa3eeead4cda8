#include "source/files_acl.hpp"

#include <cstdint>

namespace pgbakd::source {
namespace {

using base::Error;
using base::ErrorCode;
using Tag = codec::AclEntry::Tag;

constexpr std::uint32_t version = 2;
constexpr std::size_t header_size = 4;
constexpr std::size_t entry_size = 8;

std::uint32_t little_endian(std::string_view bytes) {
    std::uint32_t number = 0;
    for (auto at = bytes.size(); at > 0; --at) number = number << 8U | static_cast<unsigned char>(bytes[at - 1]);
    return number;
}

bool to_tag(std::uint32_t number, Tag& tag) {
    switch (number) {
        case 0x01: tag = Tag::owner; return true;
        case 0x02: tag = Tag::user; return true;
        case 0x04: tag = Tag::owning_group; return true;
        case 0x08: tag = Tag::group; return true;
        case 0x10: tag = Tag::mask; return true;
        case 0x20: tag = Tag::other; return true;
        default: return false;
    }
}

}  // namespace

base::Result<std::vector<codec::AclEntry>> parse_acl(std::string_view value) {
    const Error corrupt(ErrorCode::corrupt, "the access control list is none");
    if (value.size() < header_size || (value.size() - header_size) % entry_size != 0) return corrupt;
    if (little_endian(value.substr(0, header_size)) != version)
        return Error(ErrorCode::unsupported, "the access control list has an unknown version");
    std::vector<codec::AclEntry> acl;
    for (value.remove_prefix(header_size); !value.empty(); value.remove_prefix(entry_size)) {
        codec::AclEntry entry;
        if (!to_tag(little_endian(value.substr(0, 2)), entry.tag)) return corrupt;
        entry.permissions = little_endian(value.substr(2, 2));
        if (entry.permissions > 7) return corrupt;
        if (entry.tag == Tag::user || entry.tag == Tag::group) entry.id = little_endian(value.substr(4, 4));
        acl.push_back(std::move(entry));
    }
    return acl;
}

}  // namespace pgbakd::source
