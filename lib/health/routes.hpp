// Which channels are told what. Pure.
#pragma once

#include <optional>
#include <set>
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

// After routed(): what is wrong already, for channels that would hear of it and have not. They are new, were renamed or
// edited, the job names them now, or what told them was lost. Marked as by routed(). `left_out`: channels that
// are not told now, as what they were sent last was lost: it would be again, at each look.
[[nodiscard]] std::vector<catalog::QueuedAlert> news_for_others(const Routes& routes, const Teller& teller,
                                                                Changes& changes,
                                                                const std::set<std::string>& left_out = {});

}  // namespace pgbakd::health
