#include "service/runner.hpp"

#include <algorithm>
#include <utility>

#include "async/timer.hpp"
#include "run/conclusion.hpp"

namespace pgbakd::service {

Runner::Runner(run::Services& services, Finished finished)
    : services_(services), finished_(std::move(finished)), tasks_(services.executor), changed_(services.executor) {}

std::shared_ptr<ActiveRun> Runner::add(run::Request request, model::RunReport report) {
    auto active = std::make_shared<ActiveRun>();
    active->request = std::move(request);
    active->report = std::move(report);
    active->stop = std::make_shared<async::StopSource>();
    active->started = services_.clock.steady();
    active->progress->on_stage = [this] { start_waiting(); };
    active_.emplace(active->request.run.text(), active);
    // Asked for while the daemon stops: it still leaves its report.
    if (closing_)
        cancel(active, {base::ErrorCode::interrupted, "the daemon was stopped"});
    else
        start_if_possible(active);  // nothing has changed for the others
    return active;
}

std::shared_ptr<ActiveRun> Runner::find(const std::string& run) const {
    const auto found = active_.find(run);
    return found == active_.end() ? nullptr : found->second;
}

bool Runner::is_running(const std::string& job) const {
    return std::any_of(active_.begin(), active_.end(),
                       [&job](const auto& entry) { return entry.second->request.job->name == job; });
}

bool Runner::may_start(const ActiveRun& waiting) const {
    int all = 0;
    int on_server = 0;
    const auto& server = waiting.request.server;
    for (const auto& run : executing_) {
        // One run per job at a time; a second one waits here, the lock file stands against other processes.
        if (run->request.job->name == waiting.request.job->name) return false;
        // A slow target must not hold up the other jobs.
        if (run->progress->stage == model::stage_text(model::StageName::upload)) continue;
        ++all;
        if (server && run->request.server && run->request.server->name == server->name) ++on_server;
    }
    return all < services_.limits.concurrent_runs && on_server < services_.limits.concurrent_runs_per_server;
}

void Runner::start(const std::shared_ptr<ActiveRun>& run) {
    run->executing = true;
    executing_.push_back(run);
    tasks_.spawn(perform(run));
}

void Runner::start_if_possible(const std::shared_ptr<ActiveRun>& run) {
    if (may_start(*run)) start(run);
    changed_.notify();
}

void Runner::start_waiting() {
    if (closing_) return;
    for (const auto& [id, run] : active_)
        if (!run->executing && may_start(*run)) start(run);
    changed_.notify();
}

asio::awaitable<void> Runner::perform(std::shared_ptr<ActiveRun> run) {
    std::exception_ptr failure;
    try {
        run->report = co_await run::execute(services_, run->request, run->report, run->progress, run->stop->token());
    } catch (...) {
        failure = std::current_exception();
    }
    if (failure) record_broken(*run, base::to_error(failure));
    ended(run);
}

// execute() reports failures of the run itself; what comes here is a bug or no memory, and still ends the run.
void Runner::record_broken(ActiveRun& run, const base::Error& error) {
    run.report.outcome = model::Outcome::failed;
    run.report.finished_at = services_.clock.now();
    run.report.error = run::describe(error);
    services_.not_recorded(run.report);
    run::Event event;
    event.kind = run::Event::Kind::failed;
    event.job = run.request.job->name;
    event.run = run.request.run.text();
    event.stage = "report";
    event.message = "failed: " + error.message();
    event.hint = error.hint();
    services_.observe(event);
}

void Runner::ended(const std::shared_ptr<ActiveRun>& run) {
    run->done = true;
    run->progress->stage = "done";
    active_.erase(run->request.run.text());
    std::erase(executing_, run);
    changed_.notify();
    finished_(run->report);
    start_waiting();
}

asio::awaitable<void> Runner::wait_changed(std::chrono::milliseconds at_most, async::StopToken stop) {
    co_await async::wait_at_most(changed_, at_most, stop);
}

void Runner::cancel(const std::shared_ptr<ActiveRun>& run, base::Error reason) {
    run->stop->stop(std::move(reason));
    // One that waits for its turn gets it now: it finds itself stopped, never starts, and still leaves its report.
    if (!run->executing) start(run);
}

asio::awaitable<void> Runner::shut_down(base::Error reason) {
    closing_ = true;
    const auto runs = active_;  // cancelling may end one at once
    for (const auto& [id, run] : runs) cancel(run, reason);
    co_await tasks_.join();
}

}  // namespace pgbakd::service
