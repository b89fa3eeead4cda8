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
// What ended earlier is news to nobody; that nothing has come since is told by other means.
constexpr std::chrono::days untold_kept{7};
constexpr std::chrono::days former_kept{30};  // whom a job told that is gone
constexpr std::size_t most_untold = 1'000;

std::string_view journal_word(model::Severity severity) {
    return severity == model::Severity::critical ? "critical" : "warning";
}

std::string line_of(const model::Finding& finding) {
    return finding.key.job.empty() ? finding.message : fmt::format("{}: {}", finding.key.job, finding.message);
}

std::vector<Field> fields_of(const model::Finding& finding) {
    std::vector<Field> fields{{"PGBAKD_FINDING", std::string(model::finding_text(finding.key.kind))},
                              {"PGBAKD_SEVERITY", std::string(journal_word(finding.severity))}};
    if (!finding.key.job.empty()) fields.push_back({"PGBAKD_JOB", finding.key.job});
    if (!finding.set.empty()) fields.push_back({"PGBAKD_SET", finding.set});
    if (!finding.key.place.empty()) fields.push_back({"PGBAKD_PLACE", finding.key.place});
    return fields;
}

// Those for which the last that they were sent was lost.
std::set<std::string> losing_channels(catalog::Catalog& catalog) {
    std::set<std::string> names;
    for (const auto& state : catalog.channel_states())
        if (state.lost_at != base::Timestamp{}) names.insert(state.channel);
    return names;
}

catalog::Catalog::ChannelsOfJobs channels_of(const config::Config& config) {
    catalog::Catalog::ChannelsOfJobs jobs;
    for (const auto& job : config.jobs) jobs.emplace(job->name, job->alerts);
    return jobs;
}

}  // namespace

// What one look brought.
struct HealthWatch::Looked {
    health::Changes changes;
    std::optional<base::Timestamp> next_change;
    bool told = false;              // alerts were queued
    std::set<std::string> news_to;  // channels: of what was wrong already
    // It was one job that was looked at, and what is wrong is of more than that.
    bool is_elsewhere = false;
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
    work_.missed(job, std::move(fires));
    changed_.notify();
}

void HealthWatch::changed(const std::string& job) {
    work_.changed(job);
    changed_.notify();
}

void HealthWatch::reload_refused(health::RefusedReload refused) {
    refused_ = std::move(refused);
    look();
}

void HealthWatch::reload_accepted() {
    refused_.reset();
    anew_ = true;
    look();
}

void HealthWatch::look() {
    everything_ = true;
    changed_.notify();
}

bool HealthWatch::has_work() const {
    return !taken_up_ || !started_.empty() || !ended_.empty() || everything_ || !work_.empty();
}

// The schedule is anchored to when it was read: a health check that was missed is made at the start anyway.
void HealthWatch::plan(async::StopToken stop) {
    planned_for_ = core_.config;
    if (!planned_for_->targets.empty() && !std::exchange(asking_, true)) tasks_.spawn(ask_for_rooms(std::move(stop)));
    schedule_.plan(core_.config->health.schedule, *core_.config->zone, core_.clock.now());
}

// Before anything is told: what ran of a job that is gone by now is told where it would have been. And with each look
// by the schedule: a job that is taken out while no daemon runs was there until now, not since the last reload only.
asio::awaitable<void> HealthWatch::know_channels() {
    const auto config = core_.config;
    auto* catalog = core_.catalog.get();
    const auto know = [catalog, config, before = channels_known_for_, now = core_.clock.now()] {
        // A job that this takes out was there until now, however long ago that was noted.
        if (before && before != config) (void)catalog->know_channels(channels_of(*before), now, now - former_kept);
        return catalog->know_channels(channels_of(*config), now, now - former_kept);
    };
    auto former = co_await async::run_blocking(core_.pool, know);
    former_ = std::make_shared<const catalog::Catalog::ChannelsOfJobs>(std::move(former));
    channels_known_for_ = config;
}

asio::awaitable<void> HealthWatch::watch(async::StopToken stop) {
    std::exception_ptr over;
    while (!over) {
        try {
            if (planned_for_ != core_.config) plan(stop);
            std::exception_ptr failure;
            try {
                if (channels_known_for_ != core_.config)
                    co_await know_channels();
                else if (has_work())
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
                co_await show_unrecorded();
                co_await async::sleep_for(recording_pause, stop);
            }
        } catch (...) {
            over = std::current_exception();
        }
    }
    co_await drain();
    co_await tasks_.settle();
    std::rethrow_exception(over);
}

// Runs that the stop has ended: what people are to hear of them is on the disk before the daemon is gone. What is not
// is told at the next start.
asio::awaitable<void> HealthWatch::drain() {
    try {
        if (!former_ && !(started_.empty() && ended_.empty())) co_await know_channels();
        while (!started_.empty() || !ended_.empty()) co_await do_next();
    } catch (const std::exception& error) {
        core_.log.write(Priority::warning,
                        fmt::format("what became of the last runs is told at the next start: {}", error.what()));
    }
}

asio::awaitable<void> HealthWatch::do_next() {
    if (!taken_up_) {
        co_await take_up_untold();
    } else if (!started_.empty()) {
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
        const auto job = work_.first();
        co_await look_at(job, nullptr);
    }
}

// Also those that have just ended and are told of anyway: who is told twice is decided where it is recorded.
asio::awaitable<void> HealthWatch::take_up_untold() {
    auto* catalog = core_.catalog.get();
    const auto since = core_.clock.now() - untold_kept;
    const auto read = [catalog, since] { return catalog->untold_runs(since, most_untold); };
    const auto untold = co_await async::run_blocking(core_.pool, read);
    auto place = ended_.begin();
    for (const auto& run : untold) {
        place = ended_.insert(place, std::make_shared<const model::RunReport>(run));
        ++place;
    }
    taken_up_ = true;
}

asio::awaitable<void> HealthWatch::look_by_schedule(async::StopToken stop) {
    const auto now = core_.clock.now();
    if (schedule_.is_of_a_clock_ahead(now)) {
        // So is what was seen to age by it.
        plan(stop);
        look();
        co_return;
    }
    const bool due = schedule_.is_due(now);
    if (!due && !(aging_ && *aging_ <= now)) {
        co_await wait(stop);
        co_return;
    }
    co_await look_at(std::nullopt, nullptr);
    if (!due) co_return;
    plan(stop);
    co_await know_channels();
    if (!std::exchange(reading_, true)) tasks_.spawn(read_again(stop));
}

asio::awaitable<void> HealthWatch::wait(async::StopToken stop) {
    auto until = core_.clock.now() + longest_nap;
    if (schedule_.due()) until = std::min(until, *schedule_.due());
    if (aging_) until = std::min(until, *aging_);
    const auto pause = until - core_.clock.now();
    co_await async::wait_at_most(changed_, pause, stop);
}

// A full disk must not make all seem well: what cannot be recorded, nor told, is at least shown.
asio::awaitable<void> HealthWatch::show_unrecorded() {
    if (!tell_unrecorded_) co_return;
    std::set<std::string> running;
    for (const auto& [id, active] : core_.runner->active()) running.insert(active->request.job->name);
    const auto rooms = rooms_.known();
    const auto look = [core = &core_, config = core_.config, running, rooms, refused = refused_,
                       missed = work_.all_missed(), ended = ended_, tried = tried_] {
        auto inputs = health::collect({*config, core->repository, *core->catalog, running, rooms}, core->clock.now());
        inputs.refused_reload = refused;
        health::add_missed(inputs, missed);
        health::add_tried(inputs, tried, core->repository);
        // What the catalog may not know: their ends could not be written either. The last one stands.
        for (const auto& run : ended) health::add_run(inputs, *run);
        const auto changes = health::reconcile(inputs, health::evaluate(inputs));
        std::vector<model::Finding> open;
        for (const auto* part : {&changes.opened, &changes.raised, &changes.reminded, &changes.still})
            open.insert(open.end(), part->begin(), part->end());
        return open;
    };
    std::exception_ptr unknown;  // then what was known is shown on
    try {
        auto open = co_await async::run_blocking(core_.pool, look);
        tell_unrecorded_(std::move(open));
    } catch (...) {
        unknown = std::current_exception();
    }
}

asio::awaitable<void> HealthWatch::queue_starts() {
    std::vector<health::ToldAlert> told;
    const auto count = started_.size();
    const auto teller = teller_of(core_);
    for (const auto& start : started_) told.push_back(health::alert_of_start(start.job, start.run, teller));
    auto* catalog = core_.catalog.get();
    health::Changes none;
    const auto queued = health::routed(told, {*core_.config, *former_}, none);
    const auto put = [catalog, queued, now = core_.clock.now()] { catalog->queue_alerts(queued, now); };
    co_await async::run_blocking(core_.pool, put);
    started_.erase(started_.begin(), started_.begin() + static_cast<std::ptrdiff_t>(count));
    if (tell_alerts_) tell_alerts_();
}

asio::awaitable<void> HealthWatch::look_at(std::optional<std::string> job,
                                           std::shared_ptr<const model::RunReport> run) {
    std::set<std::string> running;
    for (const auto& [id, active] : core_.runner->active()) running.insert(active->request.job->name);
    const auto config = core_.config;
    const auto rooms = rooms_.known();
    // Before the look: what changes while it lasts, it may not have seen.
    auto taken = work_.take(job);
    const bool anew = !job && std::exchange(anew_, false);
    const auto look = [core = &core_, config, former = former_, job, run, running, missed = taken.missed,
                       refused = refused_, rooms, anew, quiet = news_.quiet(core_.clock.now()), tried = tried_] {
        const auto now = core->clock.now();
        auto& catalog = *core->catalog;
        auto inputs = health::collect({*config, core->repository, catalog, running, rooms}, now, job);
        inputs.refused_reload = refused;
        health::add_missed(inputs, missed);
        health::add_tried(inputs, tried, core->repository);
        Looked looked;
        const auto found = health::evaluate(inputs);
        looked.changes = health::reconcile(inputs, found);
        looked.next_change = health::next_change(inputs);
        looked.is_elsewhere = job && (inputs.other_repository || !inputs.unseen.empty());
        const auto teller = teller_of(*core);
        std::vector<health::ToldAlert> told;
        if (run && !catalog.is_told(run->run))
            told = health::alerts_after_run(*run, catalog.success_before(*run), looked.changes, teller,
                                            config->job(run->job) ? health::JobIs::configured : health::JobIs::gone);
        else
            told = health::alerts_of(looked.changes, teller);
        auto queued = health::routed(told, {*config, *former}, looked.changes);
        auto left_out = anew ? std::set<std::string>() : losing_channels(catalog);
        if (!anew) left_out.insert(quiet.begin(), quiet.end());
        for (auto& news : health::news_for_others({*config, *former}, teller, looked.changes, left_out)) {
            looked.news_to.insert(news.channel);
            queued.push_back(std::move(news));
        }
        looked.told = !queued.empty();
        catalog.apply_findings(looked.changes.all(), queued, now, run ? std::optional(run->run) : std::nullopt);
        if (!job) (void)catalog.expire_findings(now - findings_kept, most_expired);
        return std::make_shared<const Looked>(std::move(looked));
    };
    std::shared_ptr<const Looked> looked;
    std::exception_ptr failure;
    try {
        looked = co_await async::run_blocking(core_.pool, look);
    } catch (...) {
        failure = std::current_exception();
    }
    if (failure) {
        work_.put_back(std::move(taken));
        anew_ = anew_ || anew;
        std::rethrow_exception(failure);
    }
    if (anew)
        news_.begin_anew();
    else
        news_.told(looked->news_to, core_.clock.now());
    if (std::exchange(told_unrecorded_, false) && tell_unrecorded_) tell_unrecorded_(std::nullopt);
    if (looked->is_elsewhere) everything_ = true;
    // Of one job: the others' still holds.
    const auto next = looked->next_change;
    if (!job || !aging_ || (next && *next < *aging_)) aging_ = next;
    tell_journal(looked->changes);
    if (tell_findings_) tell_findings_();
    if (looked->told && tell_alerts_) tell_alerts_();
}

// What a run and a refused reload have said in the journal themselves is not said again.
void HealthWatch::tell_journal(const health::Changes& changes) {
    const auto is_told_elsewhere = [](const model::Finding& finding) {
        using Kind = model::FindingKind;
        const auto kind = finding.key.kind;
        return kind == Kind::run_failed || kind == Kind::reload_refused || kind == Kind::fires_missed;
    };
    for (const auto* part : {&changes.opened, &changes.raised})
        for (const auto& finding : *part) {
            if (is_told_elsewhere(finding)) continue;
            const auto priority = finding.severity == model::Severity::critical ? Priority::error : Priority::warning;
            core_.log.problem(priority, {base::ErrorCode::corrupt, line_of(finding), finding.hint},
                              systemd::health_finding, fields_of(finding));
        }
    for (const auto& finding : changes.closed)
        if (!is_told_elsewhere(finding))
            core_.log.write(Priority::info, "recovered: " + line_of(finding), systemd::health_finding,
                            fields_of(finding));
    for (const auto& [finding, why] : changes.dropped)
        core_.log.write(Priority::info, fmt::format("no longer looked at ({}): {}", why, line_of(finding)),
                        systemd::health_finding, fields_of(finding));
}

}  // namespace pgbakd::service
