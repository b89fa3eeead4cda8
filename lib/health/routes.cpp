#include "health/routes.hpp"

#include <algorithm>

#include "alert/wants.hpp"

namespace pgbakd::health {
namespace {

std::optional<std::vector<std::string>> channels_of(const std::string& job, const Routes& routes) {
    if (const auto spec = routes.config.job(job)) return spec->alerts;
    const auto former = routes.former.find(job);
    return former == routes.former.end() ? std::nullopt : former->second;
}

bool is_heartbeat(const model::ChannelSpec& channel) {
    return std::holds_alternative<model::HeartbeatPlace>(channel.place);
}

// A heartbeat is told of runs, not of what is wrong.
void mark(const model::ChannelSpec& channel, const ToldAlert& told, Changes& changes) {
    if (!told.about || is_heartbeat(channel)) return;
    for (auto* part : {&changes.opened, &changes.raised, &changes.reminded, &changes.still})
        for (auto& finding : *part) {
            if (finding.key != *told.about) continue;
            finding.told_severity = std::max(finding.told_severity.value_or(finding.severity), finding.severity);
            if (std::ranges::find(finding.told_to, channel.name) == finding.told_to.end())
                finding.told_to.push_back(channel.name);
        }
}

}  // namespace

bool is_told(const model::ChannelSpec& channel, const ToldAlert& told, const Routes& routes) {
    const bool heard = std::ranges::find(told.heard, channel.name) != told.heard.end();
    if (heard && !is_heartbeat(channel)) return true;
    if (!told.reaches) return false;
    if (told.alert.finding == model::finding_text(model::FindingKind::channel_failing) &&
        told.alert.place == channel.name)
        return false;
    return alert::wants(channel, told.alert, *told.reaches, channels_of(told.alert.job, routes));
}

std::vector<catalog::QueuedAlert> routed(const std::vector<ToldAlert>& told, const Routes& routes, Changes& changes) {
    std::vector<catalog::QueuedAlert> queued;
    for (const auto& each : told)
        for (const auto& [name, channel] : routes.config.channels) {
            if (!is_told(channel, each, routes)) continue;
            queued.push_back({name, each.alert});
            mark(channel, each, changes);
        }
    return queued;
}

std::vector<catalog::QueuedAlert> news_for_others(const Routes& routes, const Teller& teller, Changes& changes,
                                                  const std::set<std::string>& left_out) {
    std::vector<catalog::QueuedAlert> queued;
    for (auto& finding : changes.still) {
        const auto reminder = reminder_of(finding, teller);
        for (const auto& [name, channel] : routes.config.channels) {
            const bool heard = std::ranges::find(finding.told_to, name) != finding.told_to.end();
            if (heard || left_out.contains(name) || is_heartbeat(channel) || !is_told(channel, reminder, routes))
                continue;
            queued.push_back({name, reminder.alert});
            finding.told_to.push_back(name);
            finding.told_severity = std::max(finding.told_severity.value_or(finding.severity), finding.severity);
        }
    }
    return queued;
}

}  // namespace pgbakd::health
