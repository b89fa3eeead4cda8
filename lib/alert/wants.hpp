// Which alerts a channel gets. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/alert.hpp"
#include "model/channel.hpp"

namespace pgbakd::alert {

// By kind: the start of a run is for heartbeats only, and these hear of runs only. By severity, which heartbeats do not
// look at: the alert is for those who are told things that are as severe as `reaches`. By the channel's jobs: one that
// names some hears of no others, and still of what is of no job, as a full disk. And by the channels that the alert's
// job names (JobSpec::alerts), if it does.
[[nodiscard]] bool wants(const model::ChannelSpec& channel, const model::Alert& alert, model::Severity reaches,
                         const std::optional<std::vector<std::string>>& channels_of_job = std::nullopt);

}  // namespace pgbakd::alert
