// POSIX ACLs as Linux keeps them in extended attributes. Pure.
#pragma once

#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "codec/tree_writer.hpp"

namespace pgbakd::source {

inline constexpr std::string_view access_acl_attribute = "system.posix_acl_access";
inline constexpr std::string_view default_acl_attribute = "system.posix_acl_default";

// The value of such an attribute (linux/posix_acl_xattr.h, version 2). Users and groups have no names yet. Fails with
// `unsupported` for another version, and with `corrupt` for what is none.
[[nodiscard]] base::Result<std::vector<codec::AclEntry>> parse_acl(std::string_view value);

}  // namespace pgbakd::source
