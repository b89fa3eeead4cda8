// TDengine's programs in a container or on another host: what is run there so that a dump comes here as one stream, and
// nothing of it stays there. Pure.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "model/job.hpp"
#include "os/process.hpp"

namespace pgbakd::source {

// Asks where taosdump and taos are: in the directory that is configured and no other, else along PATH, then where
// TDengine's own packages put them.
[[nodiscard]] std::vector<std::string> taos_programs_question(const model::ClientSpec& client);
struct TaosPrograms {
    std::filesystem::path taosdump;
    std::filesystem::path taos;  // empty: the shell is not installed
    std::string version;
};
// Errors: client_missing; invalid_configuration if the account's shell writes something of its own.
[[nodiscard]] base::Result<TaosPrograms> parse_taos_programs(const model::ClientSpec& client, std::string_view answer);

// `program` in a fresh directory over there, which is HOME and the place of its logs, and is removed.
[[nodiscard]] os::Command taos_there(os::Command program);
// The same for taosdump, whose arguments say `-o dump -r dump_result.txt`. What comes is parse_dump_head()'s line, so
// many bytes of the result file, and the tar of what it wrote. The directory is in $TMPDIR, else /var/tmp, its name
// begins with `scratch`, and others whose names do are what one that was killed has left: they are removed.
[[nodiscard]] os::Command taosdump_there(os::Command program, const std::string& scratch);
// The bytes of the result file, from the first line (without its end). Error: program_failed for another one.
[[nodiscard]] base::Result<std::size_t> parse_dump_head(std::string_view line);

}  // namespace pgbakd::source
