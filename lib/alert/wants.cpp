#include "alert/wants.hpp"

#include <algorithm>

namespace pgbakd::alert {
namespace {

bool is_of_a_run(model::AlertKind kind) {
    switch (kind) {
        case model::AlertKind::run_started:
        case model::AlertKind::run_succeeded:
        case model::AlertKind::run_failed: return true;
        case model::AlertKind::finding_opened:
        case model::AlertKind::finding_raised:
        case model::AlertKind::finding_reminded:
        case model::AlertKind::finding_closed:
        case model::AlertKind::note:
        case model::AlertKind::test: return false;
    }
    return false;
}

bool names(const std::vector<std::string>& list, const std::string& name) {
    return std::ranges::find(list, name) != list.end();
}

}  // namespace

bool wants(const model::ChannelSpec& channel, const model::Alert& alert, model::Severity reaches,
           const std::optional<std::vector<std::string>>& channels_of_job) {
    if (!alert.job.empty() && !channel.jobs.empty() && !names(channel.jobs, alert.job)) return false;
    if (channels_of_job && !names(*channels_of_job, channel.name)) return false;
    if (std::holds_alternative<model::HeartbeatPlace>(channel.place)) return is_of_a_run(alert.kind);
    return alert.kind != model::AlertKind::run_started && reaches >= channel.min_severity;
}

}  // namespace pgbakd::alert
