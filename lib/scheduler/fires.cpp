// The planner and the fires that are due: on time or missed, started, waiting or skipped.
#include <algorithm>

#include "scheduler/planner_job.hpp"

namespace pgbakd::scheduler {

using std::chrono::seconds;

void Planner::run_due(Turn& turn) {
    while (!due_.empty() && due_.begin()->at <= turn.now) {
        auto& job = *due_.begin()->job;
        pass_fires(turn, job, turn.now - job.planned.offset - late_after);
        replan(job);
    }
}

void Planner::run_sooner(Turn& turn) {
    for (const auto& [job, in_time_behind] : turn.sooner) {
        const auto until = turn.now - job->planned.offset;
        if (!job->next || *job->next > until) continue;
        pass_fires(turn, *job, std::min(until - late_after, in_time_behind));
        replan(*job);
    }
}

void Planner::pass_fires(Turn& turn, Job& job, base::Instant missed_until) {
    const auto until = turn.now - job.planned.offset;
    auto slot = job.next;
    bool behind_missed = false;
    if (*slot <= missed_until) {
        slot = job.next_after(missed_until);
        behind_missed = pass_missed(turn, job, missed_until, slot && *slot <= until);
    }
    // Usually one; at most as many as fit between two looks that are not late.
    for (; slot && *slot <= until; slot = job.next_after(*slot))
        offer(turn, job, {.slot = *slot, .behind_missed = behind_missed});
    job.position = until;
}

bool Planner::pass_missed(Turn& turn, Job& job, base::Instant until, bool one_is_due_now) {
    const auto& catch_up = job.planned.catch_up;
    const bool all = catch_up.policy == model::CatchUp::Policy::all;
    // A date has a name of its own: no other fire does for it, and each that is not made is told.
    const bool is_named = !job.planned.milestones.empty();
    const auto limit =
        std::max<std::uint64_t>({std::min(most_counted, turn.countable), all ? std::uint64_t{most_caught_up} : 1,
                                 job.planned.milestones.size()});

    Missed missed{.job = job.planned.name, .count = 0, .more = false, .latest = until};
    std::vector<base::Instant> newest;  // newest first
    std::vector<base::Instant> older;   // than those, newest first; only if named
    for (auto slot = job.latest_missed(until); slot; slot = job.latest_missed(*slot - seconds{1})) {
        if (missed.count == limit) {
            missed.more = true;
            break;
        }
        ++missed.count;
        if (newest.empty() || (all && newest.size() < most_caught_up))
            newest.push_back(*slot);
        else if (is_named)
            older.push_back(*slot);
    }
    if (newest.empty()) return false;
    turn.countable -= std::min(turn.countable, missed.count);
    const auto latest = missed.latest = newest.front();
    turn.actions.emplace_back(std::move(missed));

    const bool is_too_late = catch_up.within && turn.now - (latest + job.planned.offset) > *catch_up.within;
    const auto skip_missed = [&](base::Instant slot) {
        const auto reason = catch_up.policy == model::CatchUp::Policy::skip ? Skip::Reason::not_caught_up
                            : is_too_late                                   ? Skip::Reason::too_late
                                                                            : Skip::Reason::superseded;
        skip(turn, job, {slot}, reason);
    };
    std::for_each(older.rbegin(), older.rend(), skip_missed);
    const bool goes_on = is_running(job.planned.name);
    switch (catch_up.policy) {
        case model::CatchUp::Policy::skip: skip_missed(latest); return false;
        case model::CatchUp::Policy::once:
            // The fire that is due now does what a catch-up would.
            if (one_is_due_now && !is_named) return false;
            if (is_too_late) {
                skip_missed(latest);
                return false;
            }
            offer(turn, job, {latest, true});
            return !goes_on || job.waits(latest);
        case model::CatchUp::Policy::all:
            std::for_each(newest.rbegin(), newest.rend(), [&](base::Instant slot) { offer(turn, job, {slot, true}); });
            return true;
    }
    return false;
}

void Planner::offer(Turn& turn, Job& job, Fire fire) {
    // After a step back of the clock it comes a second time.
    if (job.waits(fire.slot)) return;
    fire.repeated = fire.slot <= std::max(job.anchor, job.skipped_behind);
    const bool all = job.planned.catch_up.policy == model::CatchUp::Policy::all;
    if (!is_running(job.planned.name) && job.waiting.empty()) {
        start(turn, job, fire);
    } else if (fire.repeated) {
        // Done, or dealt with, and told: the run that goes on will do.
        return;
    } else if (fire.behind_missed || (all && (fire.catch_up || job.catches_up()))) {
        // What stands in the way of a fire on time is a catch-up, no run that takes too long: it waits behind.
        job.waiting.push_back(fire);
        if (job.waiting.size() > most_caught_up) drop_first(turn, job, Skip::Reason::superseded);
    } else if (job.planned.overlap == model::Overlap::queue) {
        drop_waiting(turn, job, Skip::Reason::superseded);
        job.waiting.push_back(fire);
    } else {
        skip(turn, job, fire, Skip::Reason::still_running);
    }
}

void Planner::start_waiting(Turn& turn, Job& job) {
    if (job.paused || job.waiting.empty() || is_running(job.planned.name)) return;
    const auto fire = job.waiting.front();
    job.waiting.erase(job.waiting.begin());
    start(turn, job, fire);
}

void Planner::start(Turn& turn, Job& job, const Fire& fire) {
    on_started(job.planned.name);
    job.catch_up_runs = fire.catch_up && job.planned.catch_up.policy == model::CatchUp::Policy::all;
    job.settle(fire.settles);
    turn.actions.emplace_back(Start{job.planned.name, fire.slot, fire.catch_up, fire.repeated, job.state(),
                                    model::milestone_name(job.planned.milestones, fire.slot, *job.planned.zone)});
}

void Planner::skip(Turn& turn, Job& job, const Fire& fire, Skip::Reason reason) {
    job.settle_skipped(fire.settles);
    // Whoever struck a date out knows its name.
    auto milestone = reason == Skip::Reason::edited
                         ? std::string()
                         : model::milestone_name(job.planned.milestones, fire.slot, *job.planned.zone);
    turn.actions.emplace_back(Skip{job.planned.name, fire.slot, reason, job.state(), std::move(milestone)});
}

void Planner::drop_first(Turn& turn, Job& job, Skip::Reason reason) {
    const auto fire = job.waiting.front();
    job.waiting.erase(job.waiting.begin());
    skip(turn, job, fire, reason);
}

void Planner::drop_waiting(Turn& turn, Job& job, Skip::Reason reason) {
    while (!job.waiting.empty()) drop_first(turn, job, reason);
}

}  // namespace pgbakd::scheduler
