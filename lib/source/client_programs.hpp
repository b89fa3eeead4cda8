// Finding PostgreSQL's client programs in a container or on another host: one question, one answer. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "model/job.hpp"
#include "postgres/programs.hpp"

namespace pgbakd::source {

// The command that asks there (os::Command::argv). Looks at the directory that is configured and no other, else where
// Debian, Red Hat, SUSE and Alpine put the programs of a version, then along PATH; Debian's wrapper is passed over.
[[nodiscard]] std::vector<std::string> programs_question(const model::ClientSpec& client);

// The programs for a server of that major, chosen from the answer as postgres::find_programs() does. Errors:
// client_missing with the versions found; invalid_configuration if the account's shell writes something of its own to
// standard output, where it would stand in every dump.
[[nodiscard]] base::Result<postgres::ClientPrograms> choose_programs(const model::ClientSpec& client, int server_major,
                                                                     std::string_view answer);

}  // namespace pgbakd::source
