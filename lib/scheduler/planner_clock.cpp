// The planner and the wall clock: whether to believe it, and what becomes of schedules when it is set back. A clock set
// forward needs nothing here: fires that it jumped over are missed ones.
#include <fmt/format.h>

#include <algorithm>

#include "base/units.hpp"
#include "scheduler/planner_job.hpp"

namespace pgbakd::scheduler {

bool Planner::believe(Turn& turn) {
    if (turn.now < earliest_believable_) {
        if (!std::exchange(doubted_, true))
            turn.actions.emplace_back(Warning{
                fmt::format(
                    "the clock says {}, which is before this program was built ({}): nothing runs until it is set",
                    calendar::format_rfc3339_utc(turn.now), calendar::format_rfc3339_utc(earliest_believable_)),
                "set the clock, or see `timedatectl` for why it is not synchronized"});
        return false;
    }
    const bool doubted_before = std::exchange(doubted_, false);
    const auto before = std::exchange(last_, turn.now);
    if (before && *before > turn.now) set_back(turn, *before - turn.now);
    if (doubted_before) settle_all(turn);
    return true;
}

void Planner::set_back(Turn& turn, std::chrono::seconds by) {
    if (by > small_step) {
        turn.actions.emplace_back(Warning{
            fmt::format("the clock was set back by {}: schedules start anew from {}", base::format_duration(by),
                        calendar::format_rfc3339_utc(turn.now)),
            "runs that were done for later slots are not done again; see `timedatectl` if the clock is wrong now"});
        for (auto& [name, job] : jobs_) {
            if (!job->anchored || job->paused || std::max(job->position, job->anchor) <= turn.now) continue;
            drop_waiting(turn, *job, Skip::Reason::clock_set_back);
            anchor(turn, *job, turn.now, why::set_back);
            replan(*job);
        }
        return;
    }
    // Fixed schedules keep their position: what was done is done. Periodic ones keep their pace.
    for (auto& [name, job] : jobs_) {
        const auto reached = turn.now - job->planned.offset;
        if (!job->anchored || !job->planned.schedule.is_periodic() || job->position <= reached) continue;
        job->position = reached;
        replan(*job);
    }
}

void Planner::settle_all(Turn& turn) {
    for (auto& [name, job] : jobs_) settle(turn, *job);
}

void Planner::settle(Turn& turn, Job& job) {
    if (job.paused) return;
    if (!job.anchored) {
        // An edit must not bring back hours that were gone through before the clock was set back a little.
        const bool ahead = job.anchor > turn.now && job.anchor - turn.now <= small_step;
        anchor(turn, job, ahead ? job.anchor : turn.now, job.why);
        if (job.planned.schedule.is_periodic()) job.position = turn.now;
    }
    replan(job);
    start_waiting(turn, job);
}

void Planner::anchor(Turn& turn, Job& job, base::Instant at, std::string_view why) {
    job.anchored = true;
    job.anchor = job.position = at;
    job.skipped_behind = base::Instant::min();
    turn.actions.emplace_back(Anchor{job.state(), std::string(why)});
}

void Planner::replan(Job& job) {
    unplan(job);
    if (job.paused || !job.anchored) return;
    job.next = job.next_after(job.position);
    if (job.next) due_.insert({*job.next + job.planned.offset, job.rank, &job});
}

void Planner::unplan(Job& job) {
    if (job.next) due_.erase({*job.next + job.planned.offset, job.rank, &job});
    job.next.reset();
}

}  // namespace pgbakd::scheduler
