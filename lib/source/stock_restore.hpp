// The commands that restore a set without pgbakd, for its manifest. Pure.
#pragma once

#include <string>
#include <vector>

#include "model/backup_set.hpp"

namespace pgbakd::source {

// Shell commands for the set's own directory, in order; the connection comes from the usual PG… variables. Databases
// are created under their own names.
[[nodiscard]] std::vector<std::string> stock_restore(const model::BackupSet& set);

// A word for a POSIX shell.
[[nodiscard]] std::string shell_word(std::string_view text);

}  // namespace pgbakd::source
