// The planner's events, and which jobs it knows.
#include "scheduler/planner.hpp"

#include <algorithm>
#include <unordered_map>

#include "scheduler/planner_job.hpp"

namespace pgbakd::scheduler {

Planner::Planner(base::Instant earliest_believable) : earliest_believable_(earliest_believable) {}
Planner::~Planner() = default;

std::vector<Action> Planner::load(std::vector<PlannedJob> jobs, const std::vector<catalog::JobState>& states,
                                  base::Instant now) {
    Turn turn{now};
    std::unordered_map<std::string_view, const catalog::JobState*> stored;
    stored.reserve(states.size());
    for (const auto& state : states) stored.emplace(state.job, &state);

    auto previous = std::exchange(jobs_, {});
    due_.clear();
    std::uint32_t rank = 0;
    for (auto& planned : jobs) {
        const auto found = stored.find(planned.name);
        adopt(turn, std::move(planned), rank++, found == stored.end() ? nullptr : found->second, previous);
    }
    for (const auto& [name, job] : previous) turn.actions.emplace_back(Forget{std::string(name)});
    for (const auto& state : states)
        if (!jobs_.contains(state.job) && !previous.contains(state.job)) turn.actions.emplace_back(Forget{state.job});

    if (believe(turn)) {
        settle_all(turn);
        run_sooner(turn);
        run_due(turn);
    }
    return std::move(turn.actions);
}

std::vector<Action> Planner::on_time(base::Instant now) {
    Turn turn{now};
    if (believe(turn)) run_due(turn);
    return std::move(turn.actions);
}

std::vector<Action> Planner::on_clock_step(base::Instant now) {
    // Each event compares its time with the last one's. What makes this one special is that it comes at once, and that
    // time did not just go by.
    Turn turn{now};
    if (set_back_from_ && now >= *set_back_from_) undo_set_back(turn);
    if (believe(turn)) run_due(turn);
    return std::move(turn.actions);
}

void Planner::on_started(std::string_view job) {
    const auto found = running_.find(job);
    if (found != running_.end())
        ++found->second;
    else
        running_.emplace(job, 1);
}

std::vector<Action> Planner::on_finished(std::string_view job, base::Instant now) {
    const auto found = running_.find(job);
    if (found != running_.end() && --found->second == 0) running_.erase(found);
    auto* const known = find(job);
    if (known != nullptr && !is_running(job)) known->catch_up_runs = false;
    Turn turn{now};
    if (believe(turn)) {
        if (known != nullptr) start_waiting(turn, *known);
        run_due(turn);
    }
    return std::move(turn.actions);
}

std::vector<Action> Planner::pause(std::string_view job, base::Instant now) {
    auto* const known = find(job);
    if (known == nullptr || known->paused) return {};
    Turn turn{now};
    const bool believed = believe(turn);
    drop_waiting(turn, *known, Skip::Reason::paused);
    if (believed)
        for (const auto slot : known->pending(now, late_after)) skip(turn, *known, {slot}, Skip::Reason::paused);
    unplan(*known);
    known->paused = true;
    turn.actions.emplace_back(Anchor{known->state(), std::string(why::paused)});
    if (believed) run_due(turn);
    return std::move(turn.actions);
}

std::vector<Action> Planner::resume(std::string_view job, base::Instant now) {
    auto* const known = find(job);
    if (known == nullptr || !known->paused) return {};
    Turn turn{now};
    const bool believed = believe(turn);
    known->paused = false;
    known->anchored = false;
    known->since = Since::resumed;
    if (believed) {
        settle(turn, *known);
        replan(*known);
        run_due(turn);
    } else {
        turn.actions.emplace_back(Anchor{known->state(), std::string(why::resumed)});
    }
    return std::move(turn.actions);
}

std::vector<Action> Planner::on_zones_changed(const std::vector<ZoneChange>& changes, base::Instant now) {
    Turn turn{now};
    const bool believed = believe(turn);
    // What was due by the old rules is.
    if (believed) run_due(turn);
    for (const auto& change : changes) {
        auto* const job = find(change.job);
        if (job == nullptr || job->planned.zone == change.zone) continue;
        const auto before = job->next;
        const auto old_zone = std::exchange(job->planned.zone, change.zone);
        go_by_new_rules(turn, *job, *old_zone);
        replan(*job);
        if (job->next != before) turn.actions.emplace_back(Moved{change.job, before, job->next});
    }
    if (believed) run_due(turn);
    return std::move(turn.actions);
}

std::optional<base::Instant> Planner::next_wake() const {
    // A clock that creeps up to the build date is not "set": wake when it gets there.
    if (doubted_) return earliest_believable_;
    if (due_.empty()) return std::nullopt;
    return due_.begin()->at;
}

std::optional<Upcoming> Planner::next_fire(std::string_view job) const {
    const auto* const known = find(job);
    if (known == nullptr || !known->next) return std::nullopt;
    return Upcoming{known->planned.name, *known->next, *known->next + known->planned.offset};
}

bool Planner::is_paused(std::string_view job) const {
    const auto* const known = find(job);
    return known != nullptr && known->paused;
}

std::vector<Upcoming> Planner::upcoming(std::size_t count) const {
    std::vector<Upcoming> fires;
    for (const auto& due : due_) {
        if (fires.size() >= count) break;
        fires.push_back({due.job->planned.name, *due.job->next, due.at});
    }
    return fires;
}

bool Planner::is_running(std::string_view job) const {
    return running_.contains(job);
}

Planner::Job* Planner::find(std::string_view job) const {
    const auto found = jobs_.find(job);
    return found == jobs_.end() ? nullptr : found->second.get();
}

}  // namespace pgbakd::scheduler
