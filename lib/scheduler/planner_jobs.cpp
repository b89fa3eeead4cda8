// The planner and its jobs as the configuration has them: new, edited, known from before a restart.
#include <algorithm>

#include "scheduler/planner_job.hpp"

namespace pgbakd::scheduler {

using std::chrono::seconds;

std::optional<base::Instant> PlannedJob::next(base::Instant after, const calendar::Zone& in) const {
    return milestones.empty() ? schedule.next(after, in) : model::next_milestone(milestones, after, in);
}

std::optional<base::Instant> PlannedJob::latest(base::Instant after, base::Instant until,
                                                const calendar::Zone& in) const {
    return milestones.empty() ? schedule.latest(after, until, in)
                              : model::latest_milestone(milestones, after, until, in);
}

bool PlannedJob::has_slot(base::Instant slot) const {
    return latest(slot - seconds{1}, slot, *zone).has_value();
}

std::string PlannedJob::key() const {
    return model::timetable_key(schedule, *zone, milestones);
}

namespace {

// Without the dates that were not among those before and have passed: to write down one that is over starts nothing.
std::vector<model::Milestone> without_new_past(const PlannedJob& planned, const PlannedJob& before, base::Instant now) {
    auto milestones = planned.milestones;
    std::erase_if(milestones, [&](const model::Milestone& milestone) {
        const bool is_new = std::none_of(before.milestones.begin(), before.milestones.end(),
                                         [&milestone](const auto& other) { return other.at == milestone.at; });
        return is_new && milestone.at.latest(base::Instant::min(), now, *planned.zone);
    });
    return milestones;
}

}  // namespace

void Planner::adopt(Turn& turn, PlannedJob planned, std::uint32_t rank, const catalog::JobState* stored,
                    Jobs& previous) {
    const auto known = previous.find(planned.name);
    std::unique_ptr<Job> job;
    if (known != previous.end()) {
        job = std::move(known->second);
        previous.erase(known);  // its key is the name that is about to be replaced
        take_over(turn, *job, std::move(planned), late_after);
    } else {
        job = std::make_unique<Job>(std::move(planned));
        if (stored != nullptr) recall(turn, *job, *stored);
    }
    job->rank = rank;
    const std::string_view name = job->planned.name;
    jobs_.emplace(name, std::move(job));
}

// A job that ran under this daemon before it was started again.
void Planner::recall(Turn& turn, Job& job, const catalog::JobState& stored) {
    job.anchor = job.position = stored.anchor;
    job.paused = stored.paused;
    job.since = Since::edited;
    if (job.paused) return;
    job.anchored = stored.schedule == job.planned.key();
    if (!job.anchored) {
        // Edited meanwhile. What is stored tells the timetable from before, if not how it looked in another zone.
        auto before = model::read_timetable_key(stored.schedule);
        if (!before || before->zone != job.planned.zone->name()) return;
        auto planned = job.planned;
        job.planned.schedule = std::move(before->schedule);
        job.planned.milestones = std::move(before->milestones);
        job.anchored = true;
        take_over(turn, job, std::move(planned), seconds{0});
    }
    // The clock cannot have been right then and now, if that was later than now.
    if (job.anchored) last_ = std::max(last_.value_or(job.anchor), job.anchor);
}

// What was known of the job stays, what the configuration says of it is replaced.
void Planner::take_over(Turn& turn, Job& job, PlannedJob planned, seconds late) {
    const auto& old = job.planned;
    const auto before = std::exchange(job.next, std::nullopt);
    const auto old_offset = old.offset;
    const auto old_zone = old.zone;
    const bool same = planned.schedule == old.schedule && planned.zone->name() == old.zone->name();
    if (same) planned.milestones = without_new_past(planned, old, turn.now);
    const bool same_dates = (planned.milestones.empty() && old.milestones.empty()) || planned.key() == old.key();
    // What waits for a run are fires of the schedule that is gone; of dates only those that were struck out.
    if (!same) drop_waiting(turn, job, Skip::Reason::edited);
    if (!same || !same_dates) part_with(turn, job, planned, late);
    job.planned = std::move(planned);
    if (job.planned.offset < old_offset) turn.sooner.push_back({&job, turn.now - old_offset - late_after});
    if (!same) {
        job.anchored = false;
        job.since = Since::edited;
        return;
    }
    // Dates come and go one by one: the place among the others stays.
    if (!same_dates && job.anchored) turn.actions.emplace_back(Anchor{job.state(), std::string(why::dates)});
    if (old_zone == job.planned.zone) return;
    go_by_new_rules(turn, job, *old_zone);
    const auto after = job.next_after(job.position);
    if (before && same_dates && after != before) turn.actions.emplace_back(Moved{job.planned.name, before, after});
}

// Slots that have passed and whose start is to come keep their place if they are slots of the new timetable too; the
// others are let go of, with a word.
void Planner::part_with(Turn& turn, Job& job, const PlannedJob& planned, seconds late) {
    const auto pending = job.pending(turn.now, late);  // before an older one is settled
    for (auto fire = job.waiting.begin(); fire != job.waiting.end();) {
        if (planned.has_slot(fire->slot)) {
            ++fire;
            continue;
        }
        const auto gone = *fire;
        fire = job.waiting.erase(fire);
        skip(turn, job, gone, Skip::Reason::edited);
    }
    for (const auto slot : pending) {
        if (planned.has_slot(slot))
            turn.kept.emplace(&job, slot);  // the oldest of them
        else
            // Not settled: an older one may be kept, and the new timetable does not find this one again.
            turn.actions.emplace_back(Skip{job.planned.name, slot, Skip::Reason::edited, job.state()});
    }
}

}  // namespace pgbakd::scheduler
