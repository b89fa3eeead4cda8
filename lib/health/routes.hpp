// Which channels are told what. Pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "catalog/catalog.hpp"
#include "config/config.hpp"
#include "health/alerts.hpp"

namespace pgbakd::health {

// As alert::wants, by the severity that it reaches; and that a channel does not work is told by the others.
[[nodiscard]] bool is_told(const model::ChannelSpec& channel, const ToldAlert& told, const config::Config& config);

// Each alert once for each of its channels: for Catalog::apply_findings or queue_alerts.
[[nodiscard]] std::vector<catalog::QueuedAlert> routed(const std::vector<ToldAlert>& told,
                                                       const config::Config& config);

}  // namespace pgbakd::health
