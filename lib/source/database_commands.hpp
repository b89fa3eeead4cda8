// The commands that make a database with all its properties, for a dump that does not hold them. Pure.
#pragma once

#include <string>
#include <vector>

#include "config/pg_dump_options.hpp"
#include "model/backup_set.hpp"

namespace pgbakd::source {

// A word for a POSIX shell.
[[nodiscard]] std::string shell_word(std::string_view text);

// createdb of the version that dumped a server of `server_version` (150008), or a newer one. What the job's options
// left out of the dump (`traits`) is left out here too.
[[nodiscard]] std::string create_command(const model::DatabaseFacts& facts, const config::DumpTraits& traits,
                                         int server_version);

// What is said of the database once it exists: ALTER DATABASE, COMMENT, GRANT. As pg_dump orders and quotes them
// (dumpDatabase() of src/bin/pg_dump/pg_dump.c). `existing`: every server has this one, with an owner of its own.
[[nodiscard]] std::vector<std::string> property_statements(const model::DatabaseFacts& facts,
                                                           const config::DumpTraits& traits, bool existing);
// They as one command of psql; empty if there are none.
[[nodiscard]] std::string property_command(const std::vector<std::string>& statements);

// Put in front of a command that restores into the database: a setting that forbids writing must not apply yet.
[[nodiscard]] std::string restore_environment(const model::DatabaseFacts& facts);

}  // namespace pgbakd::source
