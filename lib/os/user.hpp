// Whom this process runs as.
#pragma once

#include <string>

namespace pgbakd::os {

// The name of the effective user; its number where it has none.
[[nodiscard]] std::string user_name();

}  // namespace pgbakd::os
