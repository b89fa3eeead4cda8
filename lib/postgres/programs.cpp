#include "postgres/programs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <optional>

#include "async/child.hpp"
#include "async/timer.hpp"
#include "base/text.hpp"
#include "os/find_program.hpp"

namespace pgbakd::postgres {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view placeholder = "{major}";

// Debian's wrapper dumps with the version of a cluster or with the newest, whatever its --version says here.
bool is_wrapper(const fs::path& path) {
    std::error_code failure;
    return fs::canonical(path, failure).filename() == "pg_wrapper";
}

// "/usr/lib/postgresql/{major}/bin" → those that exist, by major.
std::map<int, fs::path> expand(const fs::path& pattern) {
    const std::string& text = pattern.native();
    const auto at = text.find(placeholder);
    if (at == std::string::npos) return {{0, pattern}};
    const auto slash = text.rfind('/', at) + 1;
    const auto after = at + placeholder.size();
    const auto component_end = std::min(text.find('/', after), text.size());
    const auto before_major = text.substr(slash, at - slash);
    const auto after_major = text.substr(after, component_end - after);
    std::map<int, fs::path> found;
    std::error_code failure;
    for (fs::directory_iterator entry(text.substr(0, slash), failure), end; !failure && entry != end;
         entry.increment(failure)) {
        std::string_view name = entry->path().native();
        name.remove_prefix(name.rfind('/') + 1);
        if (name.size() <= before_major.size() + after_major.size()) continue;
        if (!name.starts_with(before_major) || !name.ends_with(after_major)) continue;
        const auto digits = name.substr(before_major.size(), name.size() - before_major.size() - after_major.size());
        if (digits.size() > 4 || !std::ranges::all_of(digits, base::is_digit)) continue;
        found.emplace(std::stoi(std::string(digits)), entry->path().native() + text.substr(component_end));
    }
    return found;
}

std::string read_file(const fs::path& path) {
    std::ifstream file(path);
    std::string text(16384, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(file.gcount()));
    return text;
}

struct Candidate {
    ClientPrograms programs;
    std::string problem;  // why it cannot be used
};

asio::awaitable<Candidate> ask_version(fs::path directory, async::StopToken stop) {
    Candidate candidate;
    candidate.programs.pg_dump = directory / "pg_dump";
    candidate.programs.pg_dumpall = directory / "pg_dumpall";
    const async::Deadline deadline(co_await asio::this_coro::executor, stop, std::chrono::seconds(10),
                                   candidate.programs.pg_dump.native() + " --version");
    os::Command command;
    command.argv = {candidate.programs.pg_dump.native(), "--version"};
    try {
        const auto captured = co_await async::capture(command, 4096, deadline.token());
        candidate.programs.version_text = base::printable(base::trim(captured.output));
        candidate.programs.major = major_of(captured.output);
        if (!captured.ending.good()) candidate.problem = captured.ending.text() + ": " + captured.errors;
    } catch (const base::Error& error) {
        if (stop.stopped()) throw;
        candidate.problem = error.message();
    }
    if (candidate.problem.empty() && candidate.programs.major == 0)
        candidate.problem = "\"" + candidate.programs.version_text + "\" is no version of PostgreSQL's pg_dump";
    co_return candidate;
}

base::Error missing(int server_major, const fs::path& only, const std::vector<Candidate>& candidates,
                    const fs::path& os_release) {
    std::vector<std::string> found;
    for (const auto& candidate : candidates) {
        const auto directory = candidate.programs.pg_dump.parent_path().native();
        found.push_back(candidate.problem.empty() ? fmt::format("{} in {}", candidate.programs.major, directory)
                                                  : fmt::format("none in {} ({})", directory, candidate.problem));
    }
    const auto where = only.empty() ? std::string() : " in " + only.native();
    auto hint = install_hint(read_file(os_release), server_major);
    if (!only.empty()) hint += ", or correct client_directory";
    return {base::ErrorCode::client_missing,
            fmt::format("no pg_dump and pg_dumpall for a server of PostgreSQL {} are installed{}; found: {}",
                        server_major, where, found.empty() ? "none" : base::join(found, ", ")),
            hint};
}

}  // namespace

ProgramSearch ProgramSearch::standard(const std::string& path_variable) {
    ProgramSearch search;
    search.versioned = {"/usr/lib/postgresql/{major}/bin", "/usr/pgsql-{major}/bin", "/usr/lib/postgresql{major}/bin",
                        "/usr/libexec/postgresql{major}"};
    for (const auto directory : base::split(path_variable, ':'))
        if (directory.starts_with('/')) search.plain.emplace_back(directory);
    return search;
}

std::vector<fs::path> program_directories(const ProgramSearch& search) {
    std::vector<fs::path> directories;
    const auto add = [&directories](const fs::path& directory) {
        if (!os::is_program(directory / "pg_dump") || !os::is_program(directory / "pg_dumpall")) return;
        if (is_wrapper(directory / "pg_dump")) return;
        // /bin is /usr/bin on most systems.
        const auto same = [&directory](const fs::path& known) {
            std::error_code failure;
            return fs::equivalent(known, directory, failure);
        };
        if (std::ranges::none_of(directories, same)) directories.push_back(directory);
    };
    for (const auto& pattern : search.versioned)
        for (const auto& [major, directory] : expand(pattern)) add(directory);
    for (const auto& directory : search.plain) add(directory);
    return directories;
}

asio::awaitable<ClientPrograms> find_programs(int server_major, fs::path client_directory, ProgramSearch search,
                                              async::StopToken stop) {
    if (!client_directory.empty()) {
        search.versioned.clear();
        search.plain = {client_directory};
    }
    std::vector<Candidate> candidates;
    std::optional<ClientPrograms> best;
    for (const auto& directory : program_directories(search)) {
        auto candidate = co_await ask_version(directory, stop);
        const auto& programs = candidate.programs;
        const bool usable = candidate.problem.empty() && programs.major >= server_major;
        if (usable && (!best || programs.major < best->major)) best = programs;
        candidates.push_back(std::move(candidate));
        if (best && best->major == server_major) break;
    }
    if (!best) throw missing(server_major, client_directory, candidates, search.os_release);
    co_return std::move(*best);
}

}  // namespace pgbakd::postgres
