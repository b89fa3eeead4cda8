#include "run/make_source.hpp"

#include <span>
#include <utility>
#include <variant>

#include "codec/sha256.hpp"
#include "host/identity.hpp"
#include "host/secrets.hpp"
#include "source/basebackup_source.hpp"
#include "source/command_source.hpp"
#include "source/connection.hpp"
#include "source/files_source.hpp"
#include "source/pg_dump_source.hpp"
#include "source/taosdump_source.hpp"

namespace pgbakd::run {
namespace {

asio::awaitable<base::Secret> password_of(Services& services, model::ServerSpec server) {
    const auto resolve = [reference = server.password] { return host::resolve_secret(reference); };
    co_return co_await async::run_blocking(services.pool, resolve);
}

asio::awaitable<std::unique_ptr<source::Source>> make_pg_dump(Services& services, Request request,
                                                              model::PgDumpSource spec) {
    const auto& server = request.server.value();
    source::PgDumpSource::Settings settings;
    settings.password = co_await password_of(services, server);
    settings.server = server;
    settings.source = std::move(spec);
    settings.compression = request.job->compression;
    settings.programs = services.programs;
    settings.application = source::application_name(request.run.text());
    settings.nice = services.limits.nice;
    co_return std::make_unique<source::PgDumpSource>(services.executor, services.pool, std::move(settings));
}

asio::awaitable<std::unique_ptr<source::Source>> make_basebackup(Services& services, Request request,
                                                                 model::PgBasebackupSource spec) {
    const auto& server = request.server.value();
    source::PgBasebackupSource::Settings settings;
    settings.password = co_await password_of(services, server);
    settings.server = server;
    settings.source = std::move(spec);
    settings.compression = request.job->compression;
    settings.programs = services.programs;
    settings.application = source::application_name(request.run.text());
    co_return std::make_unique<source::PgBasebackupSource>(services.executor, services.pool, std::move(settings));
}

asio::awaitable<std::unique_ptr<source::Source>> make_command(Services& services, Request request,
                                                              model::CommandSource spec) {
    source::CommandSource::Settings settings;
    const auto resolve = [variables = spec.environment] {
        std::vector<os::Command::Variable> resolved;
        resolved.reserve(variables.size() + 1);
        for (const auto& variable : variables)
            resolved.push_back({variable.name, host::resolve_secret(variable.value)});
        return resolved;
    };
    settings.variables = co_await async::run_blocking(services.pool, resolve);
    settings.variables.push_back(source::mark_variable(request.run.text()));
    settings.job = request.job->name;
    settings.source = std::move(spec);
    settings.compression = request.job->compression;
    settings.search_path = services.programs.plain;
    settings.nice = services.limits.nice;
    co_return std::make_unique<source::CommandSource>(services.executor, services.pool, std::move(settings));
}

asio::awaitable<std::unique_ptr<source::Source>> make_files(Services& services, Request request,
                                                            model::FilesSource spec) {
    source::FilesSource::Settings settings;
    settings.job = request.job->name;
    settings.source = std::move(spec);
    settings.compression = request.job->compression;
    settings.own = {services.repository.directory(), services.reports_directory};
    settings.nice = services.limits.nice;
    co_return std::make_unique<source::FilesSource>(std::move(settings));
}

// Two hosts with a job of one name may use one machine.
std::string scratch_of(const std::string& job) {
    codec::Sha256 hash;
    const auto text = host::host_name() + "\n" + job;
    hash.update(std::as_bytes(std::span(text)));
    return "pgbakd-taosdump-" + hash.hex_digest().substr(0, 16);
}

asio::awaitable<std::unique_ptr<source::Source>> make_taosdump(Services& services, Request request,
                                                               model::TaosdumpSource spec) {
    const auto& server = request.server.value();
    source::TaosdumpSource::Settings settings;
    settings.password = co_await password_of(services, server);
    settings.server = server;
    settings.source = std::move(spec);
    settings.compression = request.job->compression;
    settings.search_path = services.programs.plain;
    settings.mark = source::mark_variable(request.run.text());
    settings.nice = services.limits.nice;
    settings.scratch = scratch_of(request.job->name);
    co_return std::make_unique<source::TaosdumpSource>(services.executor, services.pool, std::move(settings));
}

}  // namespace

asio::awaitable<std::unique_ptr<source::Source>> make_source(Services& services, Request request) {
    const auto spec = request.job->source;
    if (const auto* command = std::get_if<model::CommandSource>(&spec))
        return make_command(services, std::move(request), *command);
    if (const auto* files = std::get_if<model::FilesSource>(&spec))
        return make_files(services, std::move(request), *files);
    if (const auto* basebackup = std::get_if<model::PgBasebackupSource>(&spec))
        return make_basebackup(services, std::move(request), *basebackup);
    if (const auto* taosdump = std::get_if<model::TaosdumpSource>(&spec))
        return make_taosdump(services, std::move(request), *taosdump);
    return make_pg_dump(services, std::move(request), std::get<model::PgDumpSource>(spec));
}

}  // namespace pgbakd::run
