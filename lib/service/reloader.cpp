#include "service/reloader.hpp"

#include <fmt/format.h>

#include "base/text.hpp"
#include "host/configuration.hpp"
#include "service/configuration_changes.hpp"
#include "service/start_checks.hpp"
#include "service/zone_changes.hpp"
#include "systemd/message_ids.hpp"

namespace pgbakd::service {

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
    const auto load_files = [core = &core_, at = core_.now()] {
        auto result = host::load_configuration(core->configuration_file, core->zones, at);
        if (result.config)
            for (auto& problem : unreadable_secrets(*result.config)) result.problems.push_back(std::move(problem));
        return result;
    };
    auto loaded = co_await async::run_blocking(core_.pool, load_files);
    if (loaded.config)
        for (auto& problem : needs_restart(*core_.config, *loaded.config, core_.configuration_file.string()))
            loaded.problems.push_back(std::move(problem));
    ReloadVerdict verdict;
    verdict.problems = loaded.problems;
    log_problems(core_.log, loaded.problems);
    if (!loaded.config || has_error(loaded.problems)) {
        core_.log.write(Priority::error, "reload refused: the old configuration stays in force",
                        systemd::reload_refused);
        co_return verdict;
    }
    verdict.accepted = true;
    verdict.changes = changes(*core_.config, *loaded.config);
    co_await apply(loaded.config);
    core_.log.write(Priority::info,
                    verdict.changes.empty() ? "reloaded: no changes"
                                            : fmt::format("reloaded: {}", base::join(verdict.changes, ", ")),
                    systemd::reload_accepted);
    co_return verdict;
}

// Runs in flight hold the job they started with; everything else looks here.
asio::awaitable<void> Reloader::apply(ConfigPtr config) {
    core_.config = std::move(config);
    core_.services->limits = core_.config->limits;
    core_.services->min_free = core_.config->repository.min_free;
    core_.targets->configure(core_.config->targets, core_.config->limits.upload_rate);
    co_await sender_.hasten();
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
