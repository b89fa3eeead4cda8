// The commands that restore a base backup without pgbakd, for its manifest. Pure.
#pragma once

#include <string>
#include <vector>

#include "model/backup_set.hpp"

namespace pgbakd::source {

// Shell commands for the set's own directory, in order, by whoever is to own the server: the data directory becomes
// "data" there and each tablespace a directory beside it, so that nothing lands where a live server has its own.
// PostgreSQL's programs of the server's version must be in the PATH.
[[nodiscard]] std::vector<std::string> restore_cluster_commands(const model::BackupSet& set);

}  // namespace pgbakd::source
