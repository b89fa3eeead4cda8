#include "health/reconcile.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <utility>

namespace pgbakd::health {
namespace {

using model::Finding;

// A little less than a day, so that the look that comes at the same time each day is not a moment too early.
constexpr std::chrono::milliseconds reminder = std::chrono::hours(24) - std::chrono::minutes(10);

bool is_due_again(const Finding& finding, base::Timestamp now) {
    // A clock that was set back must not keep it quiet.
    return finding.severity == model::Severity::critical &&
           (now - finding.told_at >= reminder || finding.told_at - now >= reminder);
}

std::string why_of_job(const model::FindingKey& key, const Inputs& inputs) {
    const auto job = std::ranges::find(inputs.jobs, key.job, &Job::name);
    if (job == inputs.jobs.end())
        return inputs.everything ? fmt::format("the configuration has no job {} any more", key.job) : std::string();
    const bool is_of_a_place = key.kind == model::FindingKind::too_old || key.kind == model::FindingKind::corrupt ||
                               key.kind == model::FindingKind::copy_owed ||
                               key.kind == model::FindingKind::check_incomplete;
    if (is_of_a_place && std::ranges::find(job->places, key.place, &Place::name) == job->places.end())
        return fmt::format("{} keeps no sets {} any more", key.job,
                           key.place == local_place ? "in the repository" : "on " + key.place);
    if (key.kind == model::FindingKind::too_old && !job->max_age)
        return fmt::format("sets of {} may be of any age now", key.job);
    return {};
}

// Nothing: it is looked at, and so it is well again.
std::string why_not_looked_at(const model::FindingKey& key, const Inputs& inputs) {
    using Kind = model::FindingKind;
    if (!key.job.empty()) return why_of_job(key, inputs);
    if (!inputs.everything) return {};
    const auto is_directory = [&key](const Directory& each) { return each.path.string() == key.place; };
    const auto target = std::ranges::find(inputs.rooms, key.place, &TargetRoom::target);
    switch (key.kind) {
        case Kind::channel_failing:
            if (std::ranges::find(inputs.channels, key.place, &Channel::name) != inputs.channels.end()) return {};
            return fmt::format("the configuration has no channel {} any more", key.place);
        case Kind::disk_usage:
        case Kind::free_space:
        case Kind::check_incomplete:
            if (std::ranges::any_of(inputs.directories, is_directory)) return {};
            if (target != inputs.rooms.end() && target->answered && !target->room)
                return fmt::format("{} does not tell how much room it has", key.place);
            if (target != inputs.rooms.end()) return {};
            return fmt::format("nothing is written to {} any more", key.place);
        case Kind::run_failed:
        case Kind::too_old:
        case Kind::corrupt:
        case Kind::copy_owed:
        case Kind::size_changed:
        case Kind::fires_missed:
        case Kind::other_repository:
        case Kind::reload_refused: return {};
    }
    return {};
}

}  // namespace

std::vector<Finding> Changes::all() const {
    std::vector<Finding> result;
    for (const auto* part : {&opened, &raised, &reminded, &still, &closed})
        result.insert(result.end(), part->begin(), part->end());
    for (const auto& each : dropped) result.push_back(each.finding);
    return result;
}

Changes reconcile(const std::vector<Finding>& open, const std::vector<Finding>& found, base::Timestamp now) {
    std::map<model::FindingKey, const Finding*> before;
    for (const auto& finding : open) before.emplace(finding.key, &finding);
    Changes changes;
    for (auto finding : found) {
        finding.closed_at = {};
        const auto known = before.find(finding.key);
        if (known == before.end()) {
            finding.opened_at = finding.told_at = now;
            changes.opened.push_back(std::move(finding));
            continue;
        }
        const auto& last = *known->second;
        finding.opened_at = last.opened_at;
        finding.told_at = last.told_at;
        finding.told_severity = last.told_severity;
        finding.told_to = last.told_to;
        if (finding.severity > last.severity) {
            finding.told_at = now;
            changes.raised.push_back(std::move(finding));
        } else if (is_due_again(finding, now)) {
            finding.told_at = now;
            changes.reminded.push_back(std::move(finding));
        } else {
            changes.still.push_back(std::move(finding));
        }
        before.erase(known);
    }
    for (const auto& [key, finding] : before) {
        changes.closed.push_back(*finding);
        changes.closed.back().closed_at = std::max(now, finding->opened_at);
    }
    return changes;
}

Changes reconcile(const Inputs& inputs, const std::vector<Finding>& found) {
    auto changes = reconcile(inputs.open, found, inputs.now);
    auto closed = std::exchange(changes.closed, {});
    for (auto& finding : closed) {
        auto why = why_not_looked_at(finding.key, inputs);
        if (why.empty())
            changes.closed.push_back(std::move(finding));
        else
            changes.dropped.push_back({std::move(finding), std::move(why)});
    }
    return changes;
}

}  // namespace pgbakd::health
