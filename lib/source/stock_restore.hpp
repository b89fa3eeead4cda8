// The commands that restore a set without pgbakd, for its manifest. Pure.
#pragma once

#include <string>
#include <vector>

#include "model/backup_set.hpp"

namespace pgbakd::source {

// Shell commands for the set's own directory, in order; the connection comes from the usual PG… variables. Databases
// are created under their own names. `options` are the job's, for pg_dump.
[[nodiscard]] std::vector<std::string> stock_restore(const model::BackupSet& set,
                                                     const std::vector<std::string>& options);

}  // namespace pgbakd::source
