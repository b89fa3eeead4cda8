#include "health/reconcile.hpp"

#include <chrono>
#include <map>

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

}  // namespace

std::vector<Finding> Changes::all() const {
    std::vector<Finding> result;
    for (const auto* part : {&opened, &raised, &reminded, &still, &closed})
        result.insert(result.end(), part->begin(), part->end());
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

}  // namespace pgbakd::health
