#include "service/health_watch.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "async/timer.hpp"
#include "health/alerts.hpp"
#include "health/evaluate.hpp"
#include "health/reconcile.hpp"
#include "health/routes.hpp"
#include "service/alert_identity.hpp"
#include "systemd/message_ids.hpp"

namespace pgbakd::service {
namespace {

constexpr std::chrono::minutes recording_pause{1};
constexpr std::chrono::hours longest_nap{1};  // a clock that is set is noticed by then
constexpr std::chrono::days findings_kept{400};
constexpr std::size_t most_expired = 10'000;

std::string_view journal_word(model::Severity severity) {
    return severity == model::Severity::critical ? "critical" : "warning";
}

}  // namespace

// What one look brought.
struct HealthWatch::Looked {
    health::Changes changes;
    std::optional<base::Timestamp> next_change;
    bool told = false;  // alerts were queued
};

void HealthWatch::started(const std::string& job, const std::string& run) {
    const auto& channels = core_.config->channels;
    const bool anybody = std::any_of(channels.begin(), channels.end(), [](const auto& entry) {
        return std::holds_alternative<model::HeartbeatPlace>(entry.second.place);
    });
    if (!anybody) return;
    started_.push_back({job, run});
    changed_.notify();
}

void HealthWatch::finished(const model::RunReport& report) {
    ended_.push_back(std::make_shared<const model::RunReport>(report));
    changed_.notify();
}

void HealthWatch::missed(const std::string& job, health::MissedFires fires) {
    missed_[job] = std::move(fires);
    changed_.notify();
}

void HealthWatch::reload_refused(health::RefusedReload refused) {
    refused_ = std::move(refused);
    look();
}

void HealthWatch::reload_accepted() {
    refused_.reset();
    look();
}

void HealthWatch::look() {
    everything_ = true;
    changed_.notify();
}

bool HealthWatch::has_work() const {
    return !started_.empty() || !ended_.empty() || everything_ || !missed_.empty();
}

// The schedule is anchored to when it was read: a health check that was missed is made at the start anyway.
void HealthWatch::plan() {
    planned_for_ = core_.config;
    due_.reset();
    const auto& config = *core_.config;
    if (const auto next = config.health.schedule.next_ever(core_.now(), *config.zone))
        due_ = base::Timestamp(next->time_since_epoch());
}

asio::awaitable<void> HealthWatch::watch(async::StopToken stop) {
    std::exception_ptr over;
    while (!over) {
        try {
            if (planned_for_ != core_.config) plan();
            std::exception_ptr failure;
            try {
                if (has_work())
                    co_await do_next();
                else
                    co_await look_by_schedule(stop);
            } catch (...) {
                failure = std::current_exception();
            }
            stop.check();
            if (failure) {
                // What is to be told stays in the queue: a full disk must not swallow that a run failed.
                if (!std::exchange(told_unrecorded_, true))
                    core_.log.problem(Priority::warning, base::to_error(failure).during("looking whether all is well"));
                co_await async::sleep_for(recording_pause, stop);
            } else {
                told_unrecorded_ = false;
            }
        } catch (...) {
            over = std::current_exception();
        }
    }
    co_await drain();
    while (tasks_.running() > 0) {
        try {
            co_await tasks_.join();
        } catch (const std::exception&) {
            continue;  // the stop's reason
        }
    }
    std::rethrow_exception(over);
}

// Runs that the stop has ended: what people are to hear of them is on the disk before the daemon is gone.
asio::awaitable<void> HealthWatch::drain() {
    try {
        while (!started_.empty() || !ended_.empty()) co_await do_next();
    } catch (const std::exception& error) {
        core_.log.write(Priority::warning,
                        fmt::format("what became of the last runs is told to nobody: {}", error.what()));
    }
}

asio::awaitable<void> HealthWatch::do_next() {
    if (!started_.empty()) {
        co_await queue_starts();
    } else if (!ended_.empty()) {
        const auto run = ended_.front();
        co_await look_at(run->job, run);
        ended_.pop_front();
    } else if (everything_) {
        everything_ = false;
        std::exception_ptr failure;
        try {
            co_await look_at(std::nullopt, nullptr);
        } catch (...) {
            failure = std::current_exception();
        }
        if (failure) {
            everything_ = true;
            std::rethrow_exception(failure);
        }
    } else {
        const auto job = missed_.begin()->first;
        co_await look_at(job, nullptr);
    }
}

asio::awaitable<void> HealthWatch::look_by_schedule(async::StopToken stop) {
    const auto now = core_.clock.now();
    const bool due = due_ && *due_ <= now;
    if (!due && !(aging_ && *aging_ <= now)) {
        co_await wait(stop);
        co_return;
    }
    co_await look_at(std::nullopt, nullptr);
    if (!due) co_return;
    plan();
    if (!std::exchange(reading_, true)) tasks_.spawn(read_again(stop));
}

asio::awaitable<void> HealthWatch::wait(async::StopToken stop) {
    auto until = core_.clock.now() + longest_nap;
    if (due_) until = std::min(until, *due_);
    if (aging_) until = std::min(until, *aging_);
    const auto pause = std::max(until - core_.clock.now(), base::Timestamp::duration(1));
    const async::Deadline soon(core_.io.get_executor(), stop, pause, "the pause");
    try {
        co_await changed_.wait(soon.token());
    } catch (const base::Error&) {
        stop.check();
    }
}

asio::awaitable<void> HealthWatch::queue_starts() {
    std::vector<health::ToldAlert> told;
    const auto count = started_.size();
    const auto teller = teller_of(core_);
    for (const auto& start : started_) told.push_back(health::alert_of_start(start.job, start.run, teller));
    auto* catalog = core_.catalog.get();
    const auto queued = health::routed(told, *core_.config);
    const auto put = [catalog, queued] { catalog->queue_alerts(queued); };
    co_await async::run_blocking(core_.pool, put);
    started_.erase(started_.begin(), started_.begin() + static_cast<std::ptrdiff_t>(count));
    if (tell_alerts_) tell_alerts_();
}

asio::awaitable<void> HealthWatch::look_at(std::optional<std::string> job,
                                           std::shared_ptr<const model::RunReport> run) {
    std::set<std::string> running;
    for (const auto& [id, active] : core_.runner->active()) running.insert(active->request.job->name);
    const auto config = core_.config;
    const auto missed = missed_;
    const auto look = [core = &core_, config, job, run, running, missed, refused = refused_] {
        const auto now = core->clock.now();
        auto& catalog = *core->catalog;
        auto inputs = health::collect({*config, core->repository, catalog, running}, now, job);
        inputs.refused_reload = refused;
        for (auto& each : inputs.jobs)
            if (const auto found = missed.find(each.name); found != missed.end()) each.missed = found->second;
        Looked looked;
        const auto found = health::evaluate(inputs);
        looked.changes = health::reconcile(inputs.open, found, now);
        looked.next_change = health::next_change(inputs);
        const auto teller = teller_of(*core);
        std::optional<model::RunReport> previous;
        if (run) previous = catalog.success_before(*run);
        const auto told = run ? health::alerts_after_run(*run, previous, looked.changes, teller)
                              : health::alerts_of(looked.changes, teller);
        const auto queued = health::routed(told, *config);
        looked.told = !queued.empty();
        catalog.apply_findings(looked.changes.all(), queued);
        if (!job) (void)catalog.expire_findings(now - findings_kept, most_expired);
        return std::make_shared<const Looked>(std::move(looked));
    };
    const auto looked = co_await async::run_blocking(core_.pool, look);
    for (const auto& [name, fires] : missed)
        if (!job || name == *job) missed_.erase(name);
    // Of one job: the others' still holds.
    const auto next = looked->next_change;
    if (!job || !aging_ || (next && *next < *aging_)) aging_ = next;
    tell_journal(looked->changes.opened, false);
    tell_journal(looked->changes.raised, false);
    tell_journal(looked->changes.closed, true);
    if (tell_findings_) tell_findings_();
    if (looked->told && tell_alerts_) tell_alerts_();
}

// What a run and a refused reload have said in the journal themselves is not said again.
void HealthWatch::tell_journal(const std::vector<model::Finding>& findings, bool closed) {
    for (const auto& finding : findings) {
        using Kind = model::FindingKind;
        const auto kind = finding.key.kind;
        if (kind == Kind::run_failed || kind == Kind::reload_refused || kind == Kind::fires_missed) continue;
        const auto whose = finding.key.job.empty() ? std::string() : finding.key.job + ": ";
        const auto message = fmt::format("{}{}{}", closed ? "recovered: " : "", whose, finding.message);
        std::vector<Field> fields{{"PGBAKD_FINDING", std::string(model::finding_text(kind))},
                                  {"PGBAKD_SEVERITY", std::string(journal_word(finding.severity))}};
        if (!finding.key.job.empty()) fields.push_back({"PGBAKD_JOB", finding.key.job});
        if (!finding.set.empty()) fields.push_back({"PGBAKD_SET", finding.set});
        if (!finding.key.place.empty()) fields.push_back({"PGBAKD_PLACE", finding.key.place});
        if (closed) {
            core_.log.write(Priority::info, message, systemd::health_finding, fields);
            continue;
        }
        const auto priority = finding.severity == model::Severity::critical ? Priority::error : Priority::warning;
        core_.log.problem(priority, {base::ErrorCode::corrupt, message, finding.hint}, systemd::health_finding, fields);
    }
}

// Takes as long as it takes to read the set; runs and checks go on beside it.
asio::awaitable<void> HealthWatch::read_again(async::StopToken stop) {
    auto* catalog = core_.catalog.get();
    const auto* repository = &core_.repository;
    const auto stopped = std::make_shared<std::atomic<bool>>(false);
    const auto registration = stop.on_stop([stopped] { *stopped = true; });
    std::exception_ptr failure;
    std::optional<model::SetId> id;
    health::Reread reread;
    try {
        const auto choose = [repository, catalog, now = core_.clock.now()] {
            return health::next_to_read(health::sets_to_read(*repository, *catalog), now);
        };
        id = co_await async::run_blocking(core_.pool, choose);
        const auto read = [repository, catalog, id, stopped, now = core_.clock.now()] {
            return health::reread(*repository, *catalog, *id, now, [stopped](std::uint64_t) { return !*stopped; });
        };
        if (id) reread = co_await async::run_blocking(core_.pool, read);
    } catch (...) {
        failure = std::current_exception();
    }
    reading_ = false;
    if (stop.stopped()) co_return;
    if (failure) {
        core_.log.problem(Priority::warning, base::to_error(failure).during("reading a set again"));
        co_return;
    }
    if (!id) co_return;
    const std::vector<Field> fields{{"PGBAKD_JOB", id->job}, {"PGBAKD_SET", id->text()}};
    if (reread.result == health::Reread::Result::unread)
        core_.log.write(Priority::warning, fmt::format("{} could not be read again: {}", id->text(), reread.message),
                        {}, fields);
    if (reread.result == health::Reread::Result::good)
        core_.log.write(Priority::info, fmt::format("{} was read again, and is good", id->text()), {}, fields);
    if (reread.result == health::Reread::Result::corrupt) look();  // it becomes a finding
}

}  // namespace pgbakd::service
