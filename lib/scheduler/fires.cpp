// The planner and the fires that are due: on time or missed, started, waiting or skipped.
#include <algorithm>

#include "scheduler/planner_job.hpp"

namespace pgbakd::scheduler {

using std::chrono::seconds;

void Planner::run_due(Turn& turn) {
    while (!due_.empty() && due_.begin()->at <= turn.now) {
        auto& job = *due_.begin()->job;
        pass_fires(turn, job);
        replan(job);
    }
}

void Planner::pass_fires(Turn& turn, Job& job) {
    const auto until = turn.now - job.planned.offset;
    const auto missed_until = until - late_after;
    auto slot = job.next;
    if (*slot <= missed_until) {
        slot = job.next_after(missed_until);
        pass_missed(turn, job, missed_until, slot && *slot <= until);
    }
    // Usually one; at most as many as fit between two looks that are not late.
    for (; slot && *slot <= until; slot = job.next_after(*slot)) offer(turn, job, {*slot});
    job.position = until;
}

void Planner::pass_missed(Turn& turn, Job& job, base::Instant until, bool one_is_due_now) {
    const auto& catch_up = job.planned.catch_up;
    const bool all = catch_up.policy == model::CatchUp::Policy::all;
    const auto limit =
        std::max<std::uint64_t>(std::min(most_counted, turn.countable), all ? std::uint64_t{most_caught_up} : 1);

    Missed missed{.job = job.planned.name, .count = 0, .more = false, .latest = until};
    std::vector<base::Instant> newest;  // newest first
    for (auto slot = job.latest_missed(until); slot; slot = job.latest_missed(*slot - seconds{1})) {
        if (missed.count == limit) {
            missed.more = true;
            break;
        }
        ++missed.count;
        if (newest.empty() || (all && newest.size() < most_caught_up)) newest.push_back(*slot);
    }
    if (newest.empty()) return;
    turn.countable -= std::min(turn.countable, missed.count);
    const auto latest = missed.latest = newest.front();
    turn.actions.emplace_back(std::move(missed));

    switch (catch_up.policy) {
        case model::CatchUp::Policy::skip: skip(turn, job, {latest}, Skip::Reason::not_caught_up); break;
        case model::CatchUp::Policy::once:
            // The fire that is due now does what a catch-up would.
            if (one_is_due_now) break;
            if (catch_up.within && turn.now - (latest + job.planned.offset) > *catch_up.within)
                skip(turn, job, {latest}, Skip::Reason::too_late);
            else
                offer(turn, job, {latest, true});
            break;
        case model::CatchUp::Policy::all:
            std::for_each(newest.rbegin(), newest.rend(), [&](base::Instant slot) { offer(turn, job, {slot, true}); });
            break;
    }
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
    } else if (all && (fire.catch_up || !job.waiting.empty())) {
        // Behind those that wait already: were it skipped, they would count as settled too.
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
    job.settle(fire.settles);
    turn.actions.emplace_back(Start{job.planned.name, fire.slot, fire.catch_up, fire.repeated, job.state()});
}

void Planner::skip(Turn& turn, Job& job, const Fire& fire, Skip::Reason reason) {
    job.settle_skipped(fire.settles);
    turn.actions.emplace_back(Skip{job.planned.name, fire.slot, reason, job.state()});
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
