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
    if (before && *before > turn.now) set_back(turn, *before);
    if (set_back_from_ && turn.now >= *set_back_from_) set_back_from_.reset();
    if (doubted_before) settle_all(turn);
    return true;
}

void Planner::set_back(Turn& turn, base::Instant from) {
    const auto by = from - turn.now;
    if (by > small_step) {
        set_back_from_ = std::max(set_back_from_.value_or(from), from);
        turn.actions.emplace_back(Warning{
            fmt::format("the clock was set back by {}: schedules start anew from {}", base::format_duration(by),
                        calendar::format_rfc3339_utc(turn.now)),
            "runs that were done for later slots are not done again; see `timedatectl` if the clock is wrong now"});
        for (auto& [name, job] : jobs_) {
            const auto reached = std::max({job->position, job->anchor, job->before_set_back});
            if (!job->anchored || job->paused || std::max(job->position, job->anchor) <= turn.now) continue;
            drop_waiting(turn, *job, Skip::Reason::clock_set_back);
            anchor(turn, *job, turn.now, why::set_back);
            job->before_set_back = reached;
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

// The clock says again what it had said before it was set back by hours: what passed between is what was dealt with
// then.
void Planner::undo_set_back(Turn& turn) {
    for (auto& [name, job] : jobs_) {
        if (!job->anchored || job->paused || job->before_set_back <= job->position) continue;
        anchor(turn, *job, std::max(job->before_set_back, job->anchor), why::set_forward);
        replan(*job);
    }
}

void Planner::settle_all(Turn& turn) {
    for (auto& [name, job] : jobs_) settle(turn, *job);
    // Not in one go with the above: what is kept would lie scattered among actions, and hold their pages when these go.
    for (auto& [name, job] : jobs_) {
        replan(*job);
        start_waiting(turn, *job);
    }
}

// A job that is not anchored begins here.
void Planner::settle(Turn& turn, Job& job) {
    if (job.paused || job.anchored) return;
    // An edit must not bring back hours that were gone through before the clock was set back a little.
    const bool ahead = job.anchor > turn.now && job.anchor - turn.now <= small_step;
    const auto begin = ahead ? job.anchor : turn.now;
    // Not behind what an edit has left to come.
    const auto kept = turn.kept.find(&job);
    if (kept != turn.kept.end())
        return anchor(turn, job, std::min(begin, kept->second - std::chrono::seconds{1}), why::since(job.since));
    anchor(turn, job, begin, why::since(job.since));
    if (job.planned.schedule.is_periodic()) job.position = turn.now;
}

void Planner::anchor(Turn& turn, Job& job, base::Instant at, std::string_view why) {
    job.anchored = true;
    job.anchor = job.position = at;
    job.skipped_behind = job.before_set_back = base::Instant::min();
    turn.actions.emplace_back(Anchor{job.state(), std::string(why)});
}

// New rules may show a time again at which a fixed schedule had its fire: it neither doubles the day nor loses one.
void Planner::go_by_new_rules(Turn& turn, Job& job, const calendar::Zone& old_zone) {
    if (!job.anchored || job.planned.schedule.is_periodic()) return;
    // The local time a fire is for: an earlier one than the clock shows where it makes up for times that do not exist.
    const auto utc = calendar::Zone::utc();
    const auto time_of = [&](base::Instant slot, const calendar::Zone& zone) {
        return job.planned.latest(base::Instant::min(), base::Instant{zone.local(slot).time.time_since_epoch()}, *utc);
    };
    // The last slot up to `reached` by the old rules, or a later one by the new rules that is for no later local time.
    const auto moved = [&](base::Instant reached) {
        const auto last = job.planned.latest(base::Instant::min(), reached, old_zone);
        if (!last) return reached;
        const auto done = time_of(*last, old_zone);
        reached = *last;
        for (auto slot = job.next_after(reached); slot && time_of(*slot, *job.planned.zone) <= done;
             slot = job.next_after(reached))
            reached = *slot;
        return reached;
    };
    // Behind the last slot nothing was dealt with: what the new rules have there is due.
    job.position = std::max(moved(job.position), job.anchor);
    if (job.skipped_behind > base::Instant::min()) job.skipped_behind = moved(job.skipped_behind);
    for (auto& fire : job.waiting) fire.settles = moved(fire.settles);
    const auto anchor = std::max(job.anchor, moved(job.anchor));
    // The next start would take an anchor that is hours ahead of its clock for one of a clock that was wrong.
    if (anchor == job.anchor || anchor - turn.now > small_step) return;
    job.anchor = anchor;
    turn.actions.emplace_back(Anchor{job.state(), std::string(why::new_rules)});
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
