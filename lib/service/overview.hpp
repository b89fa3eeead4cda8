// What is known of every job, ready to be told: kept up to date as things happen, so that `status` costs the same
// whether there are ten sets or a hundred thousand. Reactor thread only; what blocks is on the pool.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>

#include "async/event.hpp"
#include "async/stop.hpp"
#include "model/finding.hpp"
#include "model/run.hpp"
#include "service/core.hpp"
#include "service/job_facts.hpp"

namespace pgbakd::service {

// What health checks found, and what waits to be delivered: as the catalog has it.
struct Concerns {
    std::vector<model::Finding> findings;          // open
    std::map<std::string, std::uint64_t> backlog;  // alerts that wait, by channel
    bool operator==(const Concerns&) const = default;
};
using ConcernsPtr = std::shared_ptr<const Concerns>;

class Overview {
  public:
    // Up to so many jobs their directories are looked at for each request: a microsecond or two for each.
    static constexpr std::size_t few_jobs = 1000;
    static constexpr std::chrono::seconds moment{1};

    explicit Overview(Core& core) : core_(core), wanted_(core.io.get_executor()), refreshed_(core.io.get_executor()) {}

    // Something of the job has changed, on the disk or in the catalog: the next to ask is told what it is now.
    void touch(const std::string& job);
    void finished(const model::RunReport& report);  // a run has ended: also counted
    void skipped(const std::string& job) { ++outcomes_[job][model::Outcome::skipped]; }
    // Findings or alerts have changed in the catalog: the next to ask is told.
    void concerns_changed() noexcept {
        concerns_read_.reset();
        wanted_.notify();
    }
    // Findings that the catalog does not take: shown in place of its own. Nothing: it does.
    void unrecorded(std::optional<std::vector<model::Finding>> findings) {
        unrecorded_ = std::move(findings);
        concerns_changed();
    }
    void checked(base::Timestamp at) noexcept { checked_at_ = at; }  // a health check has ended

    // Of every job of the configuration. Where these are few, whatever happened before this was called is in it, what
    // other programs did to the repository too. Of many jobs it may be a moment old, and what other programs do is seen
    // within seconds; what they write into the catalog, within a minute.
    asio::awaitable<FactsPtr> facts(async::StopToken stop);
    // The same object for as long as nothing changes. A change that nobody told is seen within seconds.
    asio::awaitable<ConcernsPtr> concerns();
    [[nodiscard]] base::Timestamp checked_at() const noexcept { return checked_at_; }  // the epoch: not yet
    // Since the start, by job.
    using Outcomes = std::map<std::string, std::map<model::Outcome, std::uint64_t>>;
    [[nodiscard]] const Outcomes& outcomes() const noexcept { return outcomes_; }

    // Does the looking, until stopped.
    asio::awaitable<void> keep(async::StopToken stop);

  private:
    [[nodiscard]] bool is_fresh() const;
    [[nodiscard]] bool has_few_jobs() const;
    [[nodiscard]] bool is_look_due() const;
    [[nodiscard]] bool is_catalog_due() const;
    [[nodiscard]] bool has_all_jobs() const;
    [[nodiscard]] bool are_concerns_due() const;
    asio::awaitable<void> read_concerns();
    asio::awaitable<void> refresh();
    asio::awaitable<void> read_catalog();
    asio::awaitable<void> look();
    asio::awaitable<void> read_jobs(std::set<std::string> jobs, Depth depth);

    Core& core_;
    FactsPtr facts_ = std::make_shared<const Facts>();
    std::shared_ptr<const SetIds> corrupt_ = std::make_shared<const SetIds>();
    ConcernsPtr concerns_ = std::make_shared<const Concerns>();
    std::optional<base::SteadyTime> concerns_read_;
    std::optional<std::vector<model::Finding>> unrecorded_;
    base::Timestamp checked_at_{};
    Outcomes outcomes_;
    std::map<std::string, base::Timestamp> successes_;  // that the catalog was not asked for since
    ConfigPtr config_;                                  // whose jobs are known
    std::set<std::string> touched_;
    base::SteadyTime touched_at_{};  // the first of them
    std::set<std::string> uncounted_;
    std::optional<base::SteadyTime> looked_, catalog_read_;
    std::uint64_t asked_ = 0, answered_ = 0;  // tickets
    std::exception_ptr failure_;              // of the last round
    async::Event wanted_, refreshed_;
};

}  // namespace pgbakd::service
