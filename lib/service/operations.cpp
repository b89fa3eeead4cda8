#include "service/operations.hpp"

#include <fmt/format.h>

#include <set>

#include "model/json.hpp"

namespace pgbakd::service {
namespace {

constexpr std::chrono::seconds progress_period{1};

// Blocks: reads manifests.
std::map<std::string, NewestSet> newest_sets(const Core& core, const config::Config& config) {
    std::map<std::string, NewestSet> newest;
    std::set<model::SetId> corrupt;
    for (const auto& state : core.catalog->set_states())
        if (state.corrupt) corrupt.insert(state.id);
    for (const auto& job : config.jobs) {
        const auto set = core.repository.newest(job->name, core.clock.now(), [&corrupt](const auto& candidate) {
            return !corrupt.contains(candidate.manifest.id);
        });
        // Without `keep_local` sets are on the targets alone.
        const auto copy = core.catalog->newest_copy(job->name);
        if (copy && (!set || set->manifest.started_at < copy->started_at)) {
            newest[job->name] = {copy->id.text(), copy->started_at, copy->bytes,
                                 std::string(model::verification_text(copy->verified))};
            continue;
        }
        if (!set) continue;
        newest[job->name] = {set->manifest.id.text(), set->manifest.started_at, set->manifest.bytes(),
                             std::string(model::verification_text(set->manifest.verified()))};
    }
    return newest;
}

// The report of a run that goes on: what it was when the run was asked for, and how far it has come.
model::RunReport report_so_far(const ActiveRun& run) {
    auto report = run.report;
    if (run.progress->stages.empty()) return report;
    report.stages = run.progress->stages;
    report.started_at = report.stages.front().started_at;
    return report;
}

}  // namespace

asio::awaitable<boost::json::object> Operations::status() {
    auto* catalog = core_.catalog.get();
    const auto find_last_success = [catalog] { return catalog->last_success(); };
    auto last_success = co_await async::run_blocking(core_.pool, find_last_success);
    const auto find_owed = [catalog] { return catalog->owed_copies(); };
    auto owed = co_await async::run_blocking(core_.pool, find_owed);
    const auto config = core_.config;
    const auto read_sets = [core = &core_, config] { return newest_sets(*core, *config); };
    auto newest = co_await async::run_blocking(core_.pool, read_sets);
    co_return status_json({facts_, *core_.config, core_.planner, core_.runner->active(), std::move(last_success),
                           std::move(newest), std::move(owed), core_.targets->meters(), core_.clock.now(),
                           core_.clock.steady()});
}

asio::awaitable<std::string> Operations::start_run(std::string job) {
    return dispatcher_.start_by_hand(std::move(job), std::nullopt);
}

asio::awaitable<std::string> Operations::start_milestone(std::string job, std::string name) {
    return dispatcher_.start_by_hand(std::move(job), std::move(name));
}

asio::awaitable<model::RunReport> Operations::find_run(std::string run) {
    const auto id = base::RunId::parse(run).value();
    if (const auto active = core_.runner->find(run)) co_return report_so_far(*active);
    if (auto report = unwritten_.find(id)) co_return std::move(*report);
    auto* catalog = core_.catalog.get();
    const auto look_up = [catalog, id] { return catalog->run(id); };
    auto found = co_await async::run_blocking(core_.pool, look_up);
    if (!found)
        throw base::Error(base::ErrorCode::not_found, fmt::format("there is no run {}", run), "see: pgbakctl runs");
    co_return std::move(*found);
}

asio::awaitable<model::RunReport> Operations::cancel_run(std::string run) {
    const auto active = core_.runner->find(run);
    if (!active) {
        const auto report = co_await find_run(run);
        throw base::Error(base::ErrorCode::conflict,
                          fmt::format("run {} is not going on: {}", run, model::outcome_text(report.outcome)));
    }
    core_.runner->cancel(active, {base::ErrorCode::cancelled, "an administrator asked for it"});
    while (!active->done) co_await core_.runner->changed().wait();
    co_return active->report;
}

asio::awaitable<void> Operations::follow_run(std::string run, EventWriter writer) {
    if (const auto active = core_.runner->find(run)) {
        while (!active->done) {
            auto text = event_text("progress", progress_json(*active, core_.clock.steady()));
            co_await writer(std::move(text));
            if (!active->done) co_await core_.runner->wait_changed(progress_period, stop_);
        }
        auto text = event_text("finished", model::json_run(active->report));
        co_await writer(std::move(text));
        co_return;
    }
    const auto report = co_await find_run(run);
    auto text = event_text("finished", model::json_run(report));
    co_await writer(std::move(text));
}

asio::awaitable<ReloadVerdict> Operations::reload() {
    return reloader_.reload();
}

}  // namespace pgbakd::service
