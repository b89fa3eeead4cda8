// Completion scripts of shells, from the table of verbs.
#pragma once

#include <string>
#include <string_view>

namespace pgbakd::admin {

// For "bash", "zsh" or "fish"; a usage error for others.
[[nodiscard]] std::string completion_script(std::string_view shell);

}  // namespace pgbakd::admin
