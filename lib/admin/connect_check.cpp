#include "admin/connect_check.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
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
#include "source/basebackup_source.hpp"
#include "source/command_source.hpp"
#include "source/connection.hpp"
#include "source/files_source.hpp"
#include "source/pg_dump_source.hpp"
#include "source/taosdump_source.hpp"

namespace pgbakd::admin {
namespace {

constexpr std::chrono::seconds patience{120};  // for one job: its server may have thousands of databases
constexpr std::size_t databases_named = 10;

using Tell = std::function<void(const Finding&)>;

struct Asked {
    source::Prepared prepared;
    std::exception_ptr failure;
};

asio::awaitable<void> ask(asio::any_io_executor executor, source::Source& source, std::string what, Asked& asked) {
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
        if (errno == EROFS) {
            tell({subject, false, fmt::format("{} cannot be written: it is read-only", existing.string()),
                  os::read_only_hint(existing)});
            return;
        }
        tell({subject, false, fmt::format("{} cannot be written by user {}", existing.string(), host::user_name()),
              fmt::format("it must belong to the user that pgbakd runs as: chown pgbakd: {}", directory.string())});
        return;
    }
    tell({subject,
          true,
          fmt::format("{} {}", directory.string(), existing == directory ? "can be written" : "can be made"),
          {}});
}

base::Error not_handed_over(const model::SecretReference& reference, const std::filesystem::path& service) {
    return {
        base::ErrorCode::not_found,
        fmt::format("{}: credential \"{}\" is handed over by systemd, and not to this process; that of the service, "
                    "in {}, cannot be read either",
                    reference.location, reference.name, service.string()),
        fmt::format("run this as root while the service runs, or hand it over: systemd-run --pipe --wait -p "
                    "User=pgbakd -p LoadCredential={}:/path/to/file pgbakctl check --connect (or "
                    "LoadCredentialEncrypted=, see systemd-creds); the daemon itself tells when it starts whether "
                    "it can read it",
                    reference.name)};
}

std::string databases_text(const std::vector<std::string>& databases) {
    std::vector<std::string> named(databases.begin(), databases.begin() + static_cast<std::ptrdiff_t>(std::min(
                                                                              databases_named, databases.size())));
    const auto more = databases.size() - named.size();
    return base::join(named, ", ") + (more > 0 ? fmt::format(" and {} more", more) : "");
}

class JobCheck {
  public:
    JobCheck(Context& context, const config::Config& config, const model::JobSpec& job, const Credentials& credentials,
             const Tell& tell)
        : context_(context), config_(config), job_(job), credentials_(credentials), tell_(tell) {}

    void run() {
        try {
            const auto prepared = prepare();
            for (const auto& fact : prepared.facts) good(fact);
            if (std::holds_alternative<model::PgDumpSource>(job_.source) ||
                std::holds_alternative<model::TaosdumpSource>(job_.source))
                dumped(prepared);
            for (const auto& refused : prepared.refused) failed(refused.error);
            for (const auto& note : prepared.notes) good("note: " + note);
            space(prepared.estimated_bytes);
        } catch (...) {
            failed(base::to_error(std::current_exception()));
        }
    }

  private:
    source::Prepared prepare() {
        asio::io_context reactor;
        async::Pool pool(1, 0);
        const auto source = make_source(reactor.get_executor(), pool);
        Asked asked;
        asio::co_spawn(reactor, ask(reactor.get_executor(), *source, "job " + job_.name, asked),
                       [](const std::exception_ptr& failure) {
                           if (failure) std::rethrow_exception(failure);
                       });
        reactor.run();
        if (asked.failure) std::rethrow_exception(asked.failure);
        return std::move(asked.prepared);
    }

    std::unique_ptr<source::Source> make_source(const asio::any_io_executor& executor, async::Pool& pool) {
        const auto path = context_.around.environment ? context_.around.environment("PATH") : std::nullopt;
        const auto programs = postgres::ProgramSearch::standard(path.value_or("/usr/bin:/bin"));
        if (const auto* command = std::get_if<model::CommandSource>(&job_.source)) {
            for (const auto& variable : command->environment) (void)host::resolve_secret(variable.value);
            return std::make_unique<source::CommandSource>(
                executor, pool,
                source::CommandSource::Settings{job_.name, *command, job_.compression, programs.plain, {}, 0});
        }
        if (const auto* backup = std::get_if<model::PgBasebackupSource>(&job_.source))
            return std::make_unique<source::PgBasebackupSource>(
                executor, pool,
                source::PgBasebackupSource::Settings{config_.servers.at(backup->server), *backup, job_.compression,
                                                     password(backup->server), programs,
                                                     source::application_name("check")});
        if (const auto* files = std::get_if<model::FilesSource>(&job_.source))
            return std::make_unique<source::FilesSource>(source::FilesSource::Settings{
                job_.name, *files, job_.compression, {config_.repository.directory, config_.reports_directory}, 0});
        if (const auto* taosdump = std::get_if<model::TaosdumpSource>(&job_.source))
            return std::make_unique<source::TaosdumpSource>(
                executor, pool,
                source::TaosdumpSource::Settings{config_.servers.at(taosdump->server), *taosdump, job_.compression,
                                                 programs.plain, password(taosdump->server),
                                                 source::mark_variable("check"), 0, "pgbakd-taosdump-check"});
        const auto& dump = std::get<model::PgDumpSource>(job_.source);
        return std::make_unique<source::PgDumpSource>(
            executor, pool,
            source::PgDumpSource::Settings{config_.servers.at(dump.server), dump, job_.compression, programs,
                                           password(dump.server), source::application_name("check"), 0});
    }

    [[nodiscard]] base::Secret password(const std::string& server) const {
        const auto credential = credentials_.find(server);
        if (credential != credentials_.end()) return credential->second.value();
        return host::resolve_secret(config_.servers.at(server).password);
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
                    std::holds_alternative<model::TaosdumpSource>(job_.source)
                        ? "look at show databases in taos, as this user"
                        : "look at exclude, and at psql -l on the server"});
        if (!databases.empty())
            good(fmt::format("{} to dump: {}{}", counted_databases(databases.size()), databases_text(databases),
                             globals ? "; and the globals" : ""));
    }
    static std::string counted_databases(std::size_t number) {
        return fmt::format("{} {}", number, number == 1 ? "database" : "databases");
    }

    void space(std::uint64_t estimated) {
        const auto& directory = config_.repository.directory;
        const auto newest = repository::Repository(directory).newest(job_.name, context_.around.clock.now());
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
    const Credentials& credentials_;
    const Tell& tell_;
};

}  // namespace

Credentials read_credentials(const Surroundings& around, const config::Config& config) {
    Credentials found;
    auto environment = systemd::Environment::of_process();
    if (around.environment) environment.credentials_directory = around.environment("CREDENTIALS_DIRECTORY");
    const bool ours = environment.credentials_directory.has_value();
    if (!ours) environment.credentials_directory = around.service_credentials.string();
    const bool readable = ::access(environment.credentials_directory->c_str(), R_OK | X_OK) == 0;
    for (const auto& [name, server] : config.servers) {
        if (server.password.kind != model::SecretReference::Kind::credential) continue;
        try {
            if (!ours && !readable) throw not_handed_over(server.password, around.service_credentials);
            found.emplace(name, host::resolve_secret(server.password, environment));
        } catch (const base::Error& error) {
            found.emplace(name, error);
        }
    }
    return found;
}

void check_connections(Context& context, const config::Config& config, const Credentials& credentials,
                       const std::function<void(const Finding&)>& tell) {
    check_directory("repository", config.repository.directory, tell);
    check_directory("reports", config.reports_directory, tell);
    for (const auto& job : config.jobs) JobCheck(context, config, *job, credentials, tell).run();
}

}  // namespace pgbakd::admin
