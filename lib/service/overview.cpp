#include "service/overview.hpp"

#include <algorithm>

#include "alert/later.hpp"
#include "async/timer.hpp"

namespace pgbakd::service {
namespace {

constexpr std::chrono::seconds look_period{5};
constexpr std::chrono::seconds catalog_period{10};
constexpr std::chrono::seconds long_catalog_period{60};  // with many jobs
constexpr std::chrono::seconds failure_pause{10};
constexpr std::size_t counted_at_once = 50;  // jobs; then whoever asks has its turn

}  // namespace

void Overview::touch(const std::string& job) {
    if (touched_.empty()) touched_at_ = core_.clock.steady();
    touched_.insert(job);
    if (!has_few_jobs()) wanted_.notify();
}

void Overview::finished(const model::RunReport& report) {
    ++outcomes_[report.job][report.outcome];
    if (report.outcome == model::Outcome::success || report.outcome == model::Outcome::warning)
        successes_[report.job] = report.finished_at;
    touch(report.job);
}

bool Overview::has_few_jobs() const {
    return core_.config->jobs.size() <= few_jobs;
}

bool Overview::is_look_due() const {
    return !looked_ || has_few_jobs() || core_.clock.steady() - *looked_ >= look_period;
}

bool Overview::is_catalog_due() const {
    const auto period = has_few_jobs() ? catalog_period : long_catalog_period;
    return !catalog_read_ || core_.clock.steady() - *catalog_read_ >= period;
}

bool Overview::has_all_jobs() const {
    return config_ == core_.config;
}

// Of many jobs what is known is told at once, unless it is more than a moment old: whoever asks does not wait for a
// pool that has runs to serve.
bool Overview::is_fresh() const {
    if (has_few_jobs() || !has_all_jobs() || failure_) return false;
    const auto now = core_.clock.steady();
    // Nobody has asked for a while, and so nobody has looked.
    if (!looked_ || now - *looked_ > 2 * look_period || !catalog_read_ ||
        now - *catalog_read_ > 2 * long_catalog_period)
        return false;
    return touched_.empty() || now - touched_at_ < moment;
}

asio::awaitable<FactsPtr> Overview::facts(async::StopToken stop) {
    if (is_fresh()) {
        if (!touched_.empty() || is_look_due() || is_catalog_due()) wanted_.notify();
        co_return facts_;
    }
    const auto ticket = ++asked_;
    wanted_.notify();
    while (answered_ < ticket) co_await refreshed_.wait(stop);
    if (failure_) std::rethrow_exception(failure_);
    co_return facts_;
}

bool Overview::are_concerns_due() const {
    return !concerns_read_ || core_.clock.steady() - *concerns_read_ >= look_period;
}

asio::awaitable<ConcernsPtr> Overview::concerns() {
    if (are_concerns_due()) {
        const bool long_ago = !concerns_read_ || core_.clock.steady() - *concerns_read_ > 2 * look_period;
        if (has_few_jobs() || long_ago)
            co_await read_concerns();
        else
            wanted_.notify();
    }
    co_return concerns_;
}

asio::awaitable<void> Overview::read_concerns() {
    concerns_read_ = core_.clock.steady();  // before it is read: what changes meanwhile is told to the next
    auto* catalog = core_.catalog.get();
    const auto read = [catalog, unrecorded = unrecorded_] {
        Concerns found{unrecorded ? *unrecorded : catalog->open_findings(), {}};
        for (const auto& backlog : catalog->alert_backlog())
            found.backlog[std::string(alert::channel_of(backlog.channel))] += backlog.waiting;
        return found;
    };
    std::exception_ptr failure;
    try {
        auto found = co_await async::run_blocking(core_.pool, read);
        if (!(found == *concerns_)) concerns_ = std::make_shared<const Concerns>(std::move(found));
    } catch (...) {
        failure = std::current_exception();
    }
    if (failure) {
        concerns_read_.reset();
        std::rethrow_exception(failure);
    }
}

asio::awaitable<void> Overview::keep(async::StopToken stop) {
    for (;;) {
        stop.check();
        const auto ticket = asked_;
        std::exception_ptr failure;
        try {
            co_await refresh();
        } catch (...) {
            failure = std::current_exception();
        }
        failure_ = failure;
        answered_ = ticket;
        refreshed_.notify();
        if (asked_ != answered_) continue;
        if (failure_) {
            co_await async::wait_at_most(wanted_, failure_pause, stop);
        } else if (uncounted_.empty()) {
            co_await wanted_.wait(stop);
        }
    }
}

asio::awaitable<void> Overview::refresh() {
    if (!has_all_jobs() || is_catalog_due()) co_await read_catalog();
    if (!touched_.empty()) {
        auto jobs = std::exchange(touched_, {});
        co_await read_jobs(std::move(jobs), Depth::count);
    }
    if (are_concerns_due()) co_await read_concerns();
    if (is_look_due()) co_await look();
    if (!uncounted_.empty()) {
        std::set<std::string> some;
        while (!uncounted_.empty() && some.size() < counted_at_once)
            some.insert(uncounted_.extract(uncounted_.begin()).value());
        co_await read_jobs(std::move(some), Depth::count);
    }
}

// All jobs of the configuration. New ones have their newest set read at once; the others are counted by and by.
asio::awaitable<void> Overview::read_catalog() {
    const auto config = core_.config;
    std::vector<std::string> jobs;
    for (const auto& job : config->jobs) jobs.push_back(job->name);
    auto* catalog = core_.catalog.get();
    const auto known = facts_;
    successes_.clear();
    const auto read = [known, jobs, catalog, now = core_.clock.now()] {
        return std::pair(std::make_shared<const Facts>(with_catalog(*known, jobs, *catalog, now)),
                         std::make_shared<const SetIds>(corrupt_sets(*catalog)));
    };
    auto [facts, corrupt] = co_await async::run_blocking(core_.pool, read);
    facts_ = std::move(facts);
    std::vector<model::SetId> differ;
    std::set_symmetric_difference(corrupt->begin(), corrupt->end(), corrupt_->begin(), corrupt_->end(),
                                  std::back_inserter(differ));
    for (const auto& set : differ) touch(set.job);
    corrupt_ = std::move(corrupt);
    catalog_read_ = core_.clock.steady();
    std::set<std::string> fresh;
    for (const auto& job : jobs)
        if (!known->find(job)) fresh.insert(job);
    uncounted_.insert(fresh.begin(), fresh.end());
    if (!fresh.empty()) co_await read_jobs(std::move(fresh), Depth::newest);
    config_ = config;
}

asio::awaitable<void> Overview::look() {
    const auto known = facts_;
    const auto* repository = &core_.repository;
    const auto find = [known, repository] { return changed_on_disk(*known, *repository); };
    auto found = co_await async::run_blocking(core_.pool, find);
    looked_ = core_.clock.steady();
    std::set<std::string> jobs(found.begin(), found.end());
    if (!jobs.empty()) co_await read_jobs(std::move(jobs), Depth::count);
}

asio::awaitable<void> Overview::read_jobs(std::set<std::string> jobs, Depth depth) {
    const auto known = facts_;
    const auto successes = successes_;
    auto* core = &core_;
    const auto read = [known, jobs, successes, corrupt = corrupt_, depth, core] {
        auto result = std::make_shared<Facts>(*known);
        for (const auto& job : jobs) {
            const auto found = result->find(job);
            if (!found) continue;  // no longer configured
            auto fresh = *found;
            const auto now = core->clock.now();
            if (const auto success = successes.find(job); success != successes.end())
                if (!fresh.last_success || *fresh.last_success < success->second || *fresh.last_success > now)
                    fresh.last_success = success->second;
            if (depth == Depth::count) read_copies(fresh, core->catalog->copies(job), now);
            read_disk(fresh, job, depth, core->repository, *corrupt, now);
            if (!fresh.problem.empty()) read_made(fresh, job, *core->catalog, now);
            if (depth == Depth::count) read_duration(fresh, *core->catalog);
            result->put(job, std::move(fresh));
        }
        return std::shared_ptr<const Facts>(std::move(result));
    };
    std::exception_ptr failure;
    try {
        facts_ = co_await async::run_blocking(core_.pool, read);
    } catch (...) {
        failure = std::current_exception();
    }
    if (depth == Depth::count)
        for (const auto& job : jobs) {
            if (failure)
                touched_.insert(job);
            else
                uncounted_.erase(job);
        }
    if (failure) std::rethrow_exception(failure);
}

}  // namespace pgbakd::service
