// Whom this process runs as, and what users and groups are called.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

namespace pgbakd::os {

// The name of the effective user; its number where it has none.
[[nodiscard]] std::string user_name();

// Nothing where there is none, or where who should know does not answer. Blocks: it may be a directory service.
[[nodiscard]] std::optional<std::string> name_of_user(uid_t id);
[[nodiscard]] std::optional<std::string> name_of_group(gid_t id);

}  // namespace pgbakd::os
