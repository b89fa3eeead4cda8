#include "source/taosdump_there.hpp"

#include <fmt/format.h>

#include <charconv>

#include "base/text.hpp"
#include "source/client_command.hpp"
#include "source/taosdump_words.hpp"

namespace pgbakd::source {
namespace {

// A line for the first taosdump that is found, and one for the shell beside it.
constexpr std::string_view question =
    R"(look() { if [ -x "$1/taosdump" ]; then v=$("$1/taosdump" -V </dev/null 2>&1 | grep -m 1 "^taosdump version"); )"
    R"(printf "pgbakd\ttaosdump\t%s\t%s\n" "$1" "$v"; )"
    R"(if [ -x "$1/taos" ]; then printf "pgbakd\ttaos\t%s\t\n" "$1"; fi; exit 0; fi; }; )"
    R"(if [ $# -gt 0 ]; then look "$1"; exit 0; fi; )"
    R"(IFS=:; for d in $PATH /usr/local/taos/bin; do case $d in /*) look "$d";; esac; done; exit 0)";

// $d is a directory that only this account may enter, gone when e() has run; $c is what runs in it. Its first argument
// begins the directory's name.
constexpr std::string_view in_directory =
    R"(umask 077; t=${TMPDIR:-/var/tmp}; g=$1; shift; c=; d=$(mktemp -d "$t/$g.XXXXXX") || exit 1; )"
    R"(e() { trap "" HUP INT TERM; [ -z "$c" ] || { kill -9 $c; wait $c; } 2>/dev/null; cd /; rm -rf "$d"; }; )"
    R"(trap "e; exit 143" HUP INT TERM; cd "$d" || { e; exit 1; }; exec 4<&0 </dev/null; )";

// Both programs fail with 255, which is the code of an ssh that has lost its connection.
constexpr std::string_view run_shell =
    R"(export HOME="$d" TAOS_LOG_DIR="$d"; "$@" <&4 4<&- & c=$!; exec 4<&-; wait $c; s=$?; )"
    R"([ $s -ne 255 ] || s=254; c=; e; exit $s)";

constexpr std::string_view remove_left = R"(rm -rf "${TMPDIR:-/var/tmp}/$1".*; )";

constexpr std::string_view run_dump =
    R"(mkdir dump log || { e; exit 1; }; export TAOS_LOG_DIR="$d/log"; "$@" <&4 4<&- >/dev/null & c=$!; exec 4<&-; )"
    R"(wait $c; s=$?; c=; [ $s -ne 255 ] || s=254; [ $s -eq 0 ] || { e; exit $s; }; [ -f dump_result.txt ] || : >dump_result.txt; )"
    R"(printf "pgbakd-result %d\n" $(wc -c <dump_result.txt); cat dump_result.txt; cd dump || { e; exit 1; }; )"
    R"(tar -cf - -- * & c=$!; wait $c; s=$?; c=; e; exit $s)";

constexpr std::string_view head = "pgbakd-result ";
constexpr std::size_t most_shown = 200;

os::Command in_shell(os::Command program, std::string text, std::string name) {
    std::vector<std::string> argv{"/bin/sh", "-c", std::move(text), "pgbakd", std::move(name)};
    argv.insert(argv.end(), program.argv.begin(), program.argv.end());
    program.argv = std::move(argv);
    return program;
}

std::string shown(std::string_view text) {
    return base::clamp_utf8(base::printable(text), most_shown);
}

}  // namespace

std::vector<std::string> taos_programs_question(const model::ClientSpec& client) {
    std::vector<std::string> argv{"/bin/sh", "-c", std::string(question), "pgbakd"};
    if (!client.directory.empty()) argv.push_back(client.directory.string());
    return argv;
}

base::Result<TaosPrograms> parse_taos_programs(const model::ClientSpec& client, std::string_view answer) {
    TaosPrograms programs;
    for (const auto line : base::split(answer, '\n')) {
        if (line.empty()) continue;
        const auto fields = base::split(line, '\t');
        if (fields.size() != 4 || fields[0] != "pgbakd")
            return base::Error(base::ErrorCode::invalid_configuration,
                               fmt::format("{}, \"{}\" is written to standard output before any program runs",
                                           located_text(client), shown(line)),
                               "it would stand in every dump: let the start-up files of that account's shell write "
                               "nothing when it is not interactive");
        const auto path = std::filesystem::path(fields[2]) / fields[1];
        if (fields[1] == "taosdump") {
            programs.taosdump = path;
            programs.version = taosdump_version(fields[3]);
        } else if (fields[1] == "taos") {
            programs.taos = path;
        }
    }
    if (!programs.taosdump.empty() && !programs.version.empty()) return programs;
    const auto where = client.directory.empty() ? std::string("in its PATH, nor in /usr/local/taos/bin")
                                                : "in " + client.directory.native();
    return base::Error(
        base::ErrorCode::client_missing,
        programs.taosdump.empty()
            ? fmt::format("{} there is no program taosdump {}", located_text(client), where)
            : fmt::format("{} -V names no version {}", programs.taosdump.native(), located_text(client)),
        "install TDengine's client and taosTools there, of the server's version, or name their directory in "
        "servers.NAME.client.bin");
}

os::Command taos_there(os::Command program) {
    return in_shell(std::move(program), std::string(in_directory).append(run_shell), "pgbakd-taos");
}

os::Command taosdump_there(os::Command program, const std::string& scratch) {
    return in_shell(std::move(program), std::string(remove_left).append(in_directory).append(run_dump), scratch);
}

base::Result<std::size_t> parse_dump_head(std::string_view line) {
    std::size_t bytes = 0;
    const auto* const end = line.data() + line.size();
    if (line.starts_with(head)) {
        const auto read = std::from_chars(line.data() + head.size(), end, bytes);
        if (read.ec == std::errc() && read.ptr == end) return bytes;
    }
    return base::Error(base::ErrorCode::program_failed,
                       fmt::format("\"{}\" came where its result file belongs", shown(line)));
}

}  // namespace pgbakd::source
