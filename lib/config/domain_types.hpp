// Types of values that mean something to a backup: schedules, secrets, databases.
#pragma once

#include <string>
#include <vector>

#include "calendar/schedule.hpp"
#include "codec/compress.hpp"
#include "config/types.hpp"
#include "model/job.hpp"

namespace pgbakd::config {

[[nodiscard]] Type<calendar::Schedule> schedule();
[[nodiscard]] Type<std::string> time_zone();
[[nodiscard]] Type<model::CatchUp> catch_up();
[[nodiscard]] Type<codec::Compression> compression();
[[nodiscard]] Type<model::SecretReference> secret();
[[nodiscard]] Type<std::string> host_name();
// `all` or a list of names: two members of a source.
[[nodiscard]] Type<model::PgDumpSource> databases();
// The same of a TDengine server.
[[nodiscard]] Type<model::TaosdumpSource> tdengine_databases();
// A list of names without repetition.
[[nodiscard]] Type<std::vector<std::string>> database_names(std::string words);
// Options for pg_dump, as elements of its argument vector.
[[nodiscard]] Type<std::vector<std::string>> dump_options();
// The path of a Unix socket, which the system keeps short.
[[nodiscard]] Type<std::filesystem::path> socket_path();
// A directory of the daemon's own: not "/" itself.
[[nodiscard]] Type<std::filesystem::path> own_directory();

}  // namespace pgbakd::config
