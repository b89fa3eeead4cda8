#include "service/leftover_backends.hpp"

#include <fmt/format.h>

#include "async/timer.hpp"
#include "host/secrets.hpp"
#include "source/connection.hpp"
#include "source/pg_dump_source.hpp"

namespace pgbakd::service {
namespace {

constexpr std::chrono::seconds patience{30};

// A TDengine server ends by itself what a client that is gone has asked.
bool has_backends(const model::ServerSpec& server) {
    return server.type == model::ServerType::postgresql;
}

asio::awaitable<std::unique_ptr<source::PgDumpSource>> make_source(Core& core, model::ServerSpec server,
                                                                   std::string run) {
    const auto resolve_secret = [reference = server.password] { return host::resolve_secret(reference); };
    const auto password = co_await async::run_blocking(core.pool, resolve_secret);
    source::PgDumpSource::Settings settings;
    settings.server = std::move(server);
    settings.programs = core.services->programs;
    settings.password = password;
    settings.application = source::application_name(run);
    co_return std::make_unique<source::PgDumpSource>(core.io.get_executor(), core.pool, std::move(settings));
}

asio::awaitable<void> end_backends_on(Core& core, model::ServerSpec server, model::RunReport report,
                                      async::StopToken stop) {
    const async::Deadline deadline(core.io.get_executor(), stop, patience, "ending leftover backends");
    std::exception_ptr failure;
    std::size_t ended = 0;
    try {
        auto source = co_await make_source(core, server, report.run.text());
        ended = co_await source->end_leftovers(deadline.token());
    } catch (...) {
        failure = std::current_exception();
    }
    stop.check();
    if (failure)
        core.log.problem(Priority::warning, base::to_error(failure).during(report.job));
    else if (ended > 0)
        core.log.write(Priority::warning, fmt::format("{}: ended {} server processes that run {} had left", report.job,
                                                      ended, report.run.text()));
}

}  // namespace

asio::awaitable<void> end_leftover_backends(Core& core, std::vector<model::RunReport> interrupted,
                                            async::StopToken stop) {
    for (const auto& report : interrupted) {
        const auto job = core.config->job(report.job);
        if (job) {
            const auto name = model::server_of(job->source);
            if (!name.empty() && has_backends(core.config->servers.at(name)))
                co_await end_backends_on(core, core.config->servers.at(name), report, stop);
            continue;
        }
        const auto servers = core.config->servers;
        for (const auto& [name, server] : servers)
            if (has_backends(server)) co_await end_backends_on(core, server, report, stop);
    }
}

}  // namespace pgbakd::service
