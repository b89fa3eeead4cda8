#include "admin/connect_check.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <exception>

#include "async/pool.hpp"
#include "async/timer.hpp"
#include "base/text.hpp"
#include "base/units.hpp"
#include "host/identity.hpp"
#include "host/secrets.hpp"
#include "os/file.hpp"
#include "repository/repository.hpp"
#include "run/preflight.hpp"
#include "source/connection.hpp"
#include "source/pg_dump_source.hpp"

namespace pgbakd::admin {
namespace {

constexpr std::chrono::seconds patience{120};  // for one job: its server may have thousands of databases
constexpr std::size_t databases_named = 10;

using Tell = std::function<void(const Finding&)>;

struct Asked {
    std::optional<source::Prepared> prepared;
    std::exception_ptr failure;
};

asio::awaitable<void> ask(asio::any_io_executor executor, source::PgDumpSource& source, std::string what,
                          Asked& asked) {
    const async::Deadline deadline(executor, {}, patience, "checking " + what);
    try {
        asked.prepared = co_await source.prepare(deadline.token());
    } catch (...) {
        asked.failure = std::current_exception();
    }
}

// The directory itself, or where it is still to be made, its nearest parent.
std::filesystem::path nearest_existing(std::filesystem::path directory) {
    std::error_code hidden;  // what we may not see is judged by access(2), as what is not there
    while (!std::filesystem::exists(directory, hidden) && directory != directory.parent_path())
        directory = directory.parent_path();
    return directory;
}

void check_directory(const std::string& subject, const std::filesystem::path& directory, const Tell& tell) {
    const auto existing = nearest_existing(directory);
    if (::access(existing.c_str(), R_OK | W_OK | X_OK) != 0) {
        tell({subject, false, fmt::format("{} cannot be written by user {}", existing.string(), host::user_name()),
              fmt::format("it must belong to the user that pgbakd runs as: chown pgbakd: {}", directory.string())});
        return;
    }
    tell({subject,
          true,
          fmt::format("{} {}", directory.string(), existing == directory ? "can be written" : "can be made"),
          {}});
}

std::string databases_text(const std::vector<std::string>& databases) {
    std::vector<std::string> named(databases.begin(), databases.begin() + static_cast<std::ptrdiff_t>(std::min(
                                                                              databases_named, databases.size())));
    const auto more = databases.size() - named.size();
    return base::join(named, ", ") + (more > 0 ? fmt::format(" and {} more", more) : "");
}

class JobCheck {
  public:
    JobCheck(Context& context, const config::Config& config, const model::JobSpec& job, const Tell& tell)
        : context_(context), config_(config), job_(job), tell_(tell) {}

    void run() {
        try {
            const auto prepared = ask_server();
            const auto& server = prepared.server;
            good(fmt::format("server {} answers: PostgreSQL {}{}, as role {}{}", job_.source.server, server.version,
                             server.in_recovery ? ", a standby" : "", server.role,
                             server.is_superuser ? " (superuser)" : ""));
            good(fmt::format("client programs: {} in {}", prepared.programs.version_text,
                             prepared.programs.pg_dump.parent_path().string()));
            dumped(prepared);
            for (const auto& refused : prepared.refused) failed(refused.error);
            for (const auto& note : prepared.notes) good("note: " + note);
            space(prepared.estimated_bytes);
        } catch (...) {
            failed(base::to_error(std::current_exception()));
        }
    }

  private:
    source::Prepared ask_server() {
        const auto& server = config_.servers.at(job_.source.server);
        const auto path = context_.around.environment ? context_.around.environment("PATH") : std::nullopt;
        asio::io_context reactor;
        async::Pool pool(1, 0);
        source::PgDumpSource source(
            reactor.get_executor(), pool,
            {server, job_.source, job_.compression, postgres::ProgramSearch::standard(path.value_or("/usr/bin:/bin")),
             host::resolve_secret(server.password), source::application_name("check"), 0});
        Asked asked;
        asio::co_spawn(reactor, ask(reactor.get_executor(), source, "job " + job_.name, asked),
                       [](const std::exception_ptr& failure) {
                           if (failure) std::rethrow_exception(failure);
                       });
        reactor.run();
        if (asked.failure) std::rethrow_exception(asked.failure);
        return std::move(*asked.prepared);
    }

    void dumped(const source::Prepared& prepared) {
        std::vector<std::string> databases;
        bool globals = false;
        for (const auto& part : prepared.parts) {
            if (part.kind == "globals")
                globals = true;
            else
                databases.push_back(part.database);
        }
        if (databases.empty() && prepared.refused.empty())
            failed({base::ErrorCode::not_found, "the server has no database to dump",
                    "look at exclude, and at psql -l on the server"});
        if (!databases.empty())
            good(fmt::format("{} to dump: {}{}", counted_databases(databases.size()), databases_text(databases),
                             globals ? "; and the globals" : ""));
    }
    static std::string counted_databases(std::size_t number) {
        return fmt::format("{} {}", number, number == 1 ? "database" : "databases");
    }

    void space(std::uint64_t estimated) {
        const auto& directory = config_.repository.directory;
        const auto newest = repository::Repository(directory).newest(job_.name);
        const auto needed = run::space_needed(newest ? newest->manifest.bytes() : 0, estimated);
        const auto available = os::free_space(directory).available;
        const auto enough = run::check_space(directory, available, needed, config_.repository.min_free);
        if (!enough) return failed(enough.error());
        good(fmt::format("{} free in {}: a run may need {}, and {} must stay free", base::format_size(available),
                         directory.string(), base::format_size(needed),
                         base::format_size(config_.repository.min_free)));
    }

    void good(std::string message) { tell_({"job " + job_.name, true, std::move(message), {}}); }
    void failed(const base::Error& error) { tell_({"job " + job_.name, false, error.message(), error.hint()}); }

    Context& context_;
    const config::Config& config_;
    const model::JobSpec& job_;
    const Tell& tell_;
};

}  // namespace

void check_connections(Context& context, const config::Config& config,
                       const std::function<void(const Finding&)>& tell) {
    check_directory("repository", config.repository.directory, tell);
    check_directory("reports", config.reports_directory, tell);
    for (const auto& job : config.jobs) JobCheck(context, config, *job, tell).run();
}

}  // namespace pgbakd::admin
