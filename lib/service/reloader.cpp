#include "service/reloader.hpp"

#include <fmt/format.h>

#include "base/text.hpp"
#include "host/configuration.hpp"
#include "run/reconcile.hpp"
#include "service/configuration_changes.hpp"
#include "service/start_checks.hpp"
#include "service/zone_changes.hpp"
#include "systemd/message_ids.hpp"

namespace pgbakd::service {
namespace {

struct Read {
    config::LoadResult loaded;
    base::Secret token;
};

health::RefusedReload refused(const std::vector<config::Problem>& problems) {
    health::RefusedReload told;
    for (const auto& problem : problems) {
        if (problem.severity != config::Problem::Severity::error) continue;
        if (told.problems++ == 0) told.first = config::problem_text(problem);
    }
    // The hint stands on a line of its own.
    told.first = told.first.substr(0, told.first.find('\n'));
    return told;
}

// Blocks.
Read read_files(Core& core, base::Instant at) {
    Read read{host::load_configuration(core.configuration_file, core.zones, at), {}};
    if (!read.loaded.config) return read;
    for (auto& problem : unreadable_secrets(*read.loaded.config)) read.loaded.problems.push_back(std::move(problem));
    if (!has_error(read.loaded.problems)) read.token = api_token(*read.loaded.config);
    return read;
}

}  // namespace

asio::awaitable<ReloadVerdict> Reloader::reload() {
    if (core_.stopping) throw base::Error(base::ErrorCode::interrupted, "the daemon is stopping");
    while (reloading_) co_await ended_.wait();
    if (core_.stopping) throw base::Error(base::ErrorCode::interrupted, "the daemon is stopping");
    reloading_ = true;
    core_.notifier.reloading(core_.clock.steady());
    std::exception_ptr failure;
    ReloadVerdict verdict;
    try {
        verdict = co_await load_again();
    } catch (...) {
        failure = std::current_exception();
    }
    reloading_ = false;
    ended_.notify();
    if (!core_.stopping) core_.notifier.ready(core_.status_line());
    if (failure) std::rethrow_exception(failure);
    co_return verdict;
}

asio::awaitable<ReloadVerdict> Reloader::load_again() {
    // A newer time zone database is read with the new configuration.
    core_.zones.forget();
    const auto load_files = [core = &core_, at = core_.now()] { return read_files(*core, at); };
    auto [loaded, token] = co_await async::run_blocking(core_.pool, load_files);
    if (loaded.config)
        for (auto& problem : needs_restart(*core_.config, *loaded.config, core_.configuration_file.string()))
            loaded.problems.push_back(std::move(problem));
    // Last, and only for a configuration that is right: what it binds is in force.
    if (loaded.config && !has_error(loaded.problems))
        if (const auto error = network_.prepare(loaded.config->api_listen))
            loaded.problems.push_back({config::Problem::Severity::error, core_.configuration_file.string(), 0, 0,
                                       "api.listen", error->message(), error->hint()});
    ReloadVerdict verdict;
    verdict.problems = loaded.problems;
    log_problems(core_.log, loaded.problems);
    if (!loaded.config || has_error(loaded.problems)) {
        core_.log.write(Priority::error, "reload refused: the old configuration stays in force",
                        systemd::reload_refused);
        health_.reload_refused(refused(loaded.problems));
        co_return verdict;
    }
    verdict.accepted = true;
    verdict.changes = changes(*core_.config, *loaded.config);
    co_await apply(loaded.config, token);
    core_.log.write(Priority::info,
                    verdict.changes.empty() ? "reloaded: no changes"
                                            : fmt::format("reloaded: {}", base::join(verdict.changes, ", ")),
                    systemd::reload_accepted);
    co_return verdict;
}

// Before anything runs with them. A catalog that cannot be written to takes a new target for one that was there before:
// nothing is lost by that.
asio::awaitable<void> Reloader::know_targets() {
    auto* catalog = core_.catalog.get();
    const auto know = [catalog, targets = run::targets_of(core_.config->jobs)] { catalog->know_targets(targets); };
    std::exception_ptr failure;
    try {
        co_await async::run_blocking(core_.pool, know);
    } catch (...) {
        failure = std::current_exception();
    }
    if (failure) core_.log.problem(Priority::warning, base::to_error(failure).during("noting the targets of jobs"));
}

// Runs in flight hold the job they started with; everything else looks here.
asio::awaitable<void> Reloader::apply(ConfigPtr config, base::Secret token) {
    core_.config = std::move(config);
    network_.configure(core_.config->api_listen, token);
    core_.services->limits = core_.config->limits;
    core_.services->min_free = core_.config->repository.min_free;
    core_.targets->configure(core_.config->targets, core_.config->limits.upload_rate);
    co_await know_targets();
    co_await sender_.hasten();
    alerts_.reconfigured();
    health_.reload_accepted();
    changes_.configuration_changed();
    auto actions = core_.planner.load(core_.planned_jobs(), {}, core_.now());
    core_.driver->rearm();
    core_.runner->limits_changed();
    co_await dispatcher_.act_first(std::move(actions));
}

asio::awaitable<bool> Reloader::read_zones_again() {
    if (reloading_) co_return false;
    reloading_ = true;
    core_.zones.forget();
    std::exception_ptr failure;
    ReadZones read;
    try {
        const auto read_all = [core = &core_, names = zone_names(*core_.config)] {
            return read_zones(core->zones, names);
        };
        read = co_await async::run_blocking(core_.pool, read_all);
    } catch (...) {
        failure = std::current_exception();
    }
    reloading_ = false;
    ended_.notify();
    if (failure) std::rethrow_exception(failure);
    for (const auto& problem : read.problems)
        core_.log.problem(Priority::warning, {problem.code(), problem.during("reading time zones again").message(),
                                              "the rules read before stay in force; reinstall the package tzdata"});
    auto changed = with_zones(*core_.config, read.zones);
    if (changed.jobs.empty()) co_return true;
    core_.config = std::move(changed.config);
    core_.log.write(Priority::info, fmt::format("the time zone files have changed: read again for {} {}",
                                                changed.jobs.size(), changed.jobs.size() == 1 ? "job" : "jobs"));
    auto actions = core_.planner.on_zones_changed(changed.jobs, core_.now());
    core_.driver->rearm();
    co_await dispatcher_.act_first(std::move(actions));
    co_return true;
}

}  // namespace pgbakd::service
