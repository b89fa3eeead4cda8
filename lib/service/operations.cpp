#include "service/operations.hpp"

#include <fmt/format.h>

#include "model/json.hpp"
#include "service/health_answer.hpp"
#include "service/metrics_source.hpp"

namespace pgbakd::service {
namespace {

constexpr std::chrono::seconds progress_period{1};

// The report of a run that goes on: what it was when the run was asked for, and how far it has come.
model::RunReport report_so_far(const ActiveRun& run) {
    auto report = run.report;
    if (run.progress->stages.empty()) return report;
    report.stages = run.progress->stages;
    report.started_at = report.stages.front().started_at;
    return report;
}

}  // namespace

asio::awaitable<std::vector<Text>> Operations::status(async::StopToken stop) {
    const auto facts = co_await overview_.facts(std::move(stop));
    const auto concerns = co_await overview_.concerns();
    const auto large = co_await status_text_.text(facts, concerns, stop_);
    const auto front =
        status_json({facts_, *core_.config, core_.planner, core_.runner->active(), core_.targets->meters(),
                     concerns->backlog, core_.clock.now(), core_.clock.steady()});
    auto text = model::compact(front);
    text.back() = ',';  // in place of the brace: the members of the other part follow
    std::vector<Text> pieces{std::make_shared<const std::string>(std::move(text)), large};
    co_return pieces;
}

LaterReports Operations::later_reports() const {
    LaterReports reports;
    for (const auto& report : unwritten_.all()) reports.emplace(report.run.text(), report);
    for (const auto& [id, run] : core_.runner->active()) reports.emplace(id, report_so_far(*run));
    return reports;
}

asio::awaitable<std::string> Operations::reports(ReportQuery query) {
    auto* catalog = core_.catalog.get();
    const auto list = [catalog, query, later = later_reports()] {
        const auto page = page_of(*catalog, query, later);
        boost::json::array items;
        for (const auto& report : page.reports) items.push_back(model::json_run(report));
        return model::compact(boost::json::object{{"page", query.page},
                                                  {"page_size", query.page_size},
                                                  {"total", page.total},
                                                  {"items", std::move(items)}}) +
               "\n";
    };
    co_return co_await async::run_blocking(core_.pool, list);
}

asio::awaitable<std::string> Operations::latest_report(ReportQuery query) {
    auto* catalog = core_.catalog.get();
    const auto find = [catalog, query, later = later_reports(),
                       now = core_.clock.now()]() -> std::optional<std::string> {
        const auto report = latest_of(*catalog, query, later, now);
        if (!report) return std::nullopt;
        return model::compact(model::json_run(*report)) + "\n";
    };
    auto text = co_await async::run_blocking(core_.pool, find);
    if (!text) {
        const base::Error none(
            base::ErrorCode::not_found,
            fmt::format("there is no run{}{}", query.job ? " of " + *query.job : "",
                        query.status ? fmt::format(" that is {}", model::outcome_text(*query.status)) : ""),
            "GET /v1/backups lists those there are");
        throw base::Error(none);
    }
    co_return std::move(*text);
}

asio::awaitable<std::string> Operations::report_text(model::RunReport report) {
    const auto write = [report = std::move(report)] { return model::compact(model::json_run(report)) + "\n"; };
    co_return co_await async::run_blocking(core_.pool, write);
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

asio::awaitable<model::RunReport> Operations::await_run(std::string run, async::StopToken stop) {
    const auto active = core_.runner->find(run);
    if (!active) co_return co_await find_run(run);
    while (!active->done) co_await core_.runner->changed().wait(stop);
    co_return active->report;
}

asio::awaitable<model::RunReport> Operations::cancel_run(std::string run, async::StopToken stop) {
    const auto active = core_.runner->find(run);
    if (!active) {
        const auto report = co_await find_run(run);
        throw base::Error(base::ErrorCode::conflict,
                          fmt::format("run {} is not going on: {}", run, model::outcome_text(report.outcome)),
                          fmt::format("GET /v1/runs/{} tells how it ended", run));
    }
    core_.runner->cancel(active, {base::ErrorCode::cancelled, "an administrator asked for it"});
    while (!active->done) co_await core_.runner->changed().wait(stop);
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

asio::awaitable<boost::json::object> Operations::test_alert(std::optional<std::string> channel) {
    const auto results = co_await alerts_.test(std::move(channel), stop_);
    boost::json::array told;
    for (const auto& result : results) {
        boost::json::object each{{"channel", result.channel}, {"delivered", !result.error}};
        if (!result.remark.empty()) each["remark"] = model::json_text(result.remark);
        if (result.error)
            each["error"] = {{"code", base::code_text(result.error->code())},
                             {"message", model::json_text(result.error->message())},
                             {"hint", model::json_text(result.error->hint())}};
        told.push_back(std::move(each));
    }
    co_return boost::json::object{{"channels", std::move(told)}};
}

asio::awaitable<ReloadVerdict> Operations::reload() {
    return reloader_.reload();
}

asio::awaitable<HealthVerdict> Operations::health() {
    const auto concerns = co_await overview_.concerns();
    const Liveness liveness{facts_,
                            core_.stopping,
                            core_.config->jobs.size(),
                            core_.runner->active().size(),
                            core_.clock.now(),
                            overview_.checked_at()};
    co_return decide_health(liveness, concerns->findings, *core_.config);
}

asio::awaitable<std::string> Operations::metrics(async::StopToken stop) {
    const auto facts = co_await overview_.facts(std::move(stop));
    const auto concerns = co_await overview_.concerns();
    const MetricsSource source{facts_,
                               core_.config,
                               facts,
                               concerns,
                               overview_.outcomes(),
                               core_.planner.upcoming(core_.config->jobs.size()),
                               running_jobs(core_.runner->active()),
                               sent_to(core_.targets->meters()),
                               core_.clock.now()};
    const auto write = [source] { return metrics_text(metrics_of(source)); };
    co_return co_await async::run_blocking(core_.pool, write);
}

}  // namespace pgbakd::service
