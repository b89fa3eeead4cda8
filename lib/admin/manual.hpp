// The manual pages, from the tables that parsing, validation and the journal go by.
#pragma once

#include <string>
#include <string_view>

namespace pgbakd::admin {

// The text of a page in roff: "pgbakd.8", "pgbakctl.1" or "pgbakd.yaml.5"; a usage error for others.
[[nodiscard]] std::string manual_page(std::string_view page);

}  // namespace pgbakd::admin
