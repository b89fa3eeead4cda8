#include "source/client_programs.hpp"

#include <fmt/format.h>

#include <optional>

#include "base/text.hpp"
#include "source/client_command.hpp"

namespace pgbakd::source {
namespace {

// A line for each directory that has both: this mark, the directory, what pg_dump says of its version.
constexpr std::string_view mark = "pgbakd\t";
constexpr std::string_view question =
    R"(look() { if [ -x "$1/pg_dump" ] && [ -x "$1/pg_dumpall" ]; then "$1/pg_dump" --version 2>&1 | )"
    R"({ IFS= read -r v; printf "pgbakd\t%s\t%s\n" "$1" "$v"; }; fi; }; )"
    R"(if [ $# -gt 0 ]; then look "$1"; exit 0; fi; )"
    R"(for d in /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /usr/lib/postgresql[0-9]*/bin /usr/libexec/postgresql[0-9]*; )"
    R"(do look "$d"; done; IFS=:; for d in $PATH; do case $d in /*) )"
    R"(case $(readlink -f "$d/pg_dump" 2>/dev/null) in */pg_wrapper) ;; *) look "$d";; esac;; esac; done; exit 0)";

struct Candidate {
    std::string directory;
    std::string version;
    int major = 0;
};

std::string shown(std::string_view text) {
    constexpr std::size_t most = 200;
    return base::clamp_utf8(base::printable(text), most);
}

base::Error missing(const model::ClientSpec& client, int server_major, const std::vector<Candidate>& candidates) {
    std::vector<std::string> found;
    for (const auto& candidate : candidates)
        found.push_back(candidate.major > 0
                            ? fmt::format("{} in {}", candidate.major, shown(candidate.directory))
                            : fmt::format("none in {} ({})", shown(candidate.directory), shown(candidate.version)));
    const auto only = client.directory.empty() ? std::string() : " in " + client.directory.native();
    return {base::ErrorCode::client_missing,
            fmt::format("no pg_dump and pg_dumpall for a server of PostgreSQL {} are installed {}{}; found: {}",
                        server_major, located_text(client), only, found.empty() ? "none" : base::join(found, ", ")),
            fmt::format("install the client programs of PostgreSQL {} there, or {} client.bin", server_major,
                        only.empty() ? "name their directory by" : "correct")};
}

}  // namespace

std::vector<std::string> programs_question(const model::ClientSpec& client) {
    std::vector<std::string> argv{"/bin/sh", "-c", std::string(question), "pgbakd"};
    if (!client.directory.empty()) argv.push_back(client.directory.string());
    return argv;
}

base::Result<postgres::ClientPrograms> choose_programs(const model::ClientSpec& client, int server_major,
                                                       std::string_view answer) {
    std::vector<Candidate> candidates;
    std::optional<Candidate> best;
    for (auto line : base::split(answer, '\n')) {
        if (line.empty()) continue;
        const auto tab = line.find('\t', mark.size());
        if (!line.starts_with(mark) || tab == std::string_view::npos)
            return base::Error(base::ErrorCode::invalid_configuration,
                               fmt::format("{}, \"{}\" is written to standard output before any program runs",
                                           located_text(client), shown(line)),
                               "it would stand in every dump: let the start-up files of that account's shell write "
                               "nothing when it is not interactive");
        Candidate candidate;
        candidate.directory = line.substr(mark.size(), tab - mark.size());
        candidate.version = line.substr(tab + 1);
        candidate.major = postgres::major_of(candidate.version);
        if (candidate.major >= server_major && (!best || candidate.major < best->major)) best = candidate;
        candidates.push_back(std::move(candidate));
    }
    if (!best) return missing(client, server_major, candidates);
    postgres::ClientPrograms programs;
    const std::filesystem::path directory = best->directory;
    programs.pg_dump = directory / "pg_dump";
    programs.pg_dumpall = directory / "pg_dumpall";
    programs.major = best->major;
    programs.version_text = base::printable(base::trim(best->version));
    return programs;
}

}  // namespace pgbakd::source
