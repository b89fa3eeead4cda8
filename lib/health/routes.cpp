#include "health/routes.hpp"

#include "alert/wants.hpp"

namespace pgbakd::health {

bool is_told(const model::ChannelSpec& channel, const ToldAlert& told, const config::Config& config) {
    if (told.alert.finding == model::finding_text(model::FindingKind::channel_failing) &&
        told.alert.place == channel.name)
        return false;
    auto alert = told.alert;
    alert.was = told.reaches;
    const auto job = config.job(alert.job);
    return alert::wants(channel, alert, job ? job->alerts : std::nullopt);
}

std::vector<catalog::QueuedAlert> routed(const std::vector<ToldAlert>& told, const config::Config& config) {
    std::vector<catalog::QueuedAlert> queued;
    for (const auto& each : told)
        for (const auto& [name, channel] : config.channels)
            if (is_told(channel, each, config)) queued.push_back({name, each.alert});
    return queued;
}

}  // namespace pgbakd::health
