// How a session and a child program reach a server: the same parameters, once for libpq, once for the environment.
#pragma once

#include <string>
#include <vector>

#include "model/job.hpp"
#include "os/process.hpp"
#include "postgres/session.hpp"

namespace pgbakd::source {

// Every backend of a run carries this name in pg_stat_activity, so that what a run left can be found and ended.
[[nodiscard]] std::string application_name(const std::string& run_id);

// What stands in the environment of every process of a run's client programs, workers that they fork included, and of
// no other process: "PGAPPNAME=…".
[[nodiscard]] std::string process_mark(const std::string& run_id);
// The same as a variable, for a program that is no client of PostgreSQL.
[[nodiscard]] os::Command::Variable mark_variable(const std::string& run_id);
[[nodiscard]] os::Command::Variable application_variable(const std::string& application);
// Whether it is the one that marks a run's programs.
[[nodiscard]] bool is_mark(const os::Command::Variable& variable);

[[nodiscard]] postgres::ConnectOptions connect_options(const model::ServerSpec& server, const base::Secret& password,
                                                       const std::string& database, const std::string& application);

// The PG… variables for a client program. The database's name goes here and never into argv, where a name with "=" in
// it would be read as a connection string.
[[nodiscard]] std::vector<os::Command::Variable> client_environment(const postgres::ConnectOptions& options,
                                                                    int server_version);

}  // namespace pgbakd::source
