// Which channels are told what. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "catalog/catalog.hpp"
#include "config/config.hpp"
#include "health/alerts.hpp"

namespace pgbakd::health {

using ChannelsOfJobs = catalog::Catalog::ChannelsOfJobs;

struct Routes {
    const config::Config& config;
    // As they were, of jobs that the configuration has no more: what ran of them is told where it would have been.
    const ChannelsOfJobs& former;
};

// Those who heard that something was wrong hear of its end, if they are still there. Otherwise as alert::wants, by the
// severity that it reaches; and that a channel does not work is told by the others.
[[nodiscard]] bool is_told(const model::ChannelSpec& channel, const ToldAlert& told, const Routes& routes);

// Each alert once for each of its channels, for Catalog::apply_findings or queue_alerts. Findings among `changes` that
// are told by it are marked with who hears of them.
[[nodiscard]] std::vector<catalog::QueuedAlert> routed(const std::vector<ToldAlert>& told, const Routes& routes,
                                                       Changes& changes);

}  // namespace pgbakd::health
