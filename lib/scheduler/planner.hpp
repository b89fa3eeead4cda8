// Decides what is due, caught up, skipped and waiting. A pure state machine: events and the time in, actions out; it
// keeps its own copy of how each schedule stands and never asks anybody. About 500 bytes per job beside its schedule;
// an event costs O(log jobs) per fire that it finds due.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "calendar/schedule.hpp"
#include "calendar/zone.hpp"
#include "model/job.hpp"
#include "scheduler/actions.hpp"

namespace pgbakd::scheduler {

// What the planner must know of a job.
struct PlannedJob {
    std::string name;
    calendar::Schedule schedule;
    calendar::ZonePtr zone;  // the one that counts: the schedule's own, else the job's
    model::CatchUp catch_up;
    model::Overlap overlap = model::Overlap::skip;
    std::chrono::seconds offset{0};  // added to each slot: jitter_offset()
    // Only with the schedule `milestone`: the dates that are its slots.
    std::vector<model::Milestone> milestones{};

    // The slots, in a zone that need not be the job's.
    [[nodiscard]] std::optional<base::Instant> next(base::Instant after, const calendar::Zone& in) const;
    [[nodiscard]] std::optional<base::Instant> latest(base::Instant after, base::Instant until,
                                                      const calendar::Zone& in) const;
    [[nodiscard]] bool has_slot(base::Instant slot) const;
    [[nodiscard]] std::string key() const;  // what tells it from another timetable
};

// A fire to come: `slot` is the schedule's instant and the name of the run, `at` (slot + offset) when it starts.
struct Upcoming {
    std::string job;
    base::Instant slot, at;
    bool operator==(const Upcoming&) const = default;
};

class Planner {
  public:
    // A fire noticed later than this was missed: it is caught up if the policy says so, and counted.
    static constexpr std::chrono::seconds late_after{60};
    // A clock that is set back by more than this was wrong before: schedules start anew from what it says now.
    static constexpr std::chrono::hours small_step{3};
    // With `catch_up: all`, at most this many wait to run one after another.
    static constexpr std::size_t most_caught_up = 24;
    // Missed fires are counted up to this many per job, and up to so many in one event over all jobs.
    static constexpr std::uint64_t most_counted = 1000;
    static constexpr std::uint64_t most_counted_at_once = 200'000;

    // While the clock says less than `earliest_believable` (the build date) nothing runs.
    explicit Planner(base::Instant earliest_believable);
    Planner(Planner&&) = delete;
    Planner& operator=(Planner&&) = delete;
    ~Planner();

    // At start and at each reload, with all jobs. `states` is what the catalog holds; for jobs known already, what the
    // planner knows is newer. A job that is new, edited (schedule or zone) or paused starts with its next slot; any
    // other is caught up. A slot that has passed and whose start has not (its offset is not over) outlives an edit if
    // it is one of the new schedule too, and is skipped with a word else. Names are unique.
    [[nodiscard]] std::vector<Action> load(std::vector<PlannedJob> jobs, const std::vector<catalog::JobState>& states,
                                           base::Instant now);
    // The timer expired.
    [[nodiscard]] std::vector<Action> on_time(base::Instant now);
    // For this and the following: an event may also lead to actions of other jobs, when these are due by now.
    // The clock was set (or might have been: calling it too often does no harm).
    [[nodiscard]] std::vector<Action> on_clock_step(base::Instant now);
    // A run of the job began for another reason than a Start: overlap rules see it.
    void on_started(std::string_view job);
    // A run of the job ended, whatever began it. One call for each Start and each on_started().
    [[nodiscard]] std::vector<Action> on_finished(std::string_view job, base::Instant now);
    // Unknown jobs and repeated calls: no actions.
    [[nodiscard]] std::vector<Action> pause(std::string_view job, base::Instant now);
    [[nodiscard]] std::vector<Action> resume(std::string_view job, base::Instant now);
    // The same zones by new rules.
    struct ZoneChange {
        std::string job;
        calendar::ZonePtr zone;
    };
    [[nodiscard]] std::vector<Action> on_zones_changed(const std::vector<ZoneChange>& changes, base::Instant now);

    // When on_time() should be called; nothing: no job has a fire to come.
    [[nodiscard]] std::optional<base::Instant> next_wake() const;
    // For status. Nothing for a job that is unknown, paused, an event, or has no fire to come.
    [[nodiscard]] std::optional<Upcoming> next_fire(std::string_view job) const;
    [[nodiscard]] bool is_paused(std::string_view job) const;
    // The next fire of each job, soonest first, at most `count` of them.
    [[nodiscard]] std::vector<Upcoming> upcoming(std::size_t count) const;

  private:
    struct Job;
    using Jobs = std::map<std::string_view, std::unique_ptr<Job>>;  // by the name that the job itself holds
    struct Due {
        base::Instant at;
        std::uint32_t rank;  // in the configuration: a stable order among fires of one instant
        Job* job;
        bool operator<(const Due& other) const { return at != other.at ? at < other.at : rank < other.rank; }
    };
    struct Turn;  // one event: its time, and the actions it led to
    struct Fire {
        base::Instant slot;
        bool catch_up = false;
        bool repeated = false;
        // A restart that finds the job settled up to here does not find this fire again. Beyond the slot once new rules
        // of the zone have moved it.
        base::Instant settles = slot;
        // On time, and found together with missed ones that are caught up: it waits for them.
        bool behind_missed = false;
    };

    // The clock (planner_clock.cpp).
    [[nodiscard]] bool believe(Turn& turn);
    void set_back(Turn& turn, base::Instant from);
    void undo_set_back(Turn& turn);
    void settle_all(Turn& turn);
    void settle(Turn& turn, Job& job);
    void anchor(Turn& turn, Job& job, base::Instant at, std::string_view why);
    void go_by_new_rules(Turn& turn, Job& job, const calendar::Zone& old_zone);
    void replan(Job& job);
    void unplan(Job& job);
    // Fires (fires.cpp).
    void run_due(Turn& turn);
    void run_sooner(Turn& turn);
    void pass_fires(Turn& turn, Job& job, base::Instant missed_until);
    // Whether the fires that are due now come behind a catch-up.
    bool pass_missed(Turn& turn, Job& job, base::Instant until, bool one_is_due_now);
    void offer(Turn& turn, Job& job, Fire fire);
    void start_waiting(Turn& turn, Job& job);
    void start(Turn& turn, Job& job, const Fire& fire);
    void skip(Turn& turn, Job& job, const Fire& fire, Skip::Reason reason);
    void drop_first(Turn& turn, Job& job, Skip::Reason reason);
    void drop_waiting(Turn& turn, Job& job, Skip::Reason reason);

    // Jobs that come and change (planner_jobs.cpp).
    void adopt(Turn& turn, PlannedJob planned, std::uint32_t rank, const catalog::JobState* stored, Jobs& previous);
    void recall(Turn& turn, Job& job, const catalog::JobState& stored);
    void take_over(Turn& turn, Job& job, PlannedJob planned, std::chrono::seconds late);
    void part_with(Turn& turn, Job& job, const PlannedJob& planned, std::chrono::seconds late);
    [[nodiscard]] bool is_running(std::string_view job) const;
    [[nodiscard]] Job* find(std::string_view job) const;

    base::Instant earliest_believable_;
    std::optional<base::Instant> last_;           // the latest believable time any event came with
    std::optional<base::Instant> set_back_from_;  // what the clock said before it was set back by hours
    bool doubted_ = false;
    Jobs jobs_;
    std::set<Due> due_;
    // How many runs of a job go on; jobs that left the configuration included, since their runs go on too.
    std::map<std::string, std::uint32_t, std::less<>> running_;
};

}  // namespace pgbakd::scheduler
