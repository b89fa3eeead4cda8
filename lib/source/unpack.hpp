// Shell commands that undo what was done to an artifact's bytes, for people. Pure.
#pragma once

#include <string>

namespace pgbakd::source {

// Prints the content of the file: "gunzip --stdout shop.sql.gz".
[[nodiscard]] std::string print_command(const std::string& file);
// Leaves the content beside the file; empty: it is the content.
[[nodiscard]] std::string unpack_command(const std::string& file);

}  // namespace pgbakd::source
