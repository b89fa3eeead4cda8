// A configuration under new time zone rules: which zones it goes by, and the same configuration with others in their
// place.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "calendar/zone_database.hpp"
#include "scheduler/planner.hpp"
#include "service/core.hpp"

namespace pgbakd::service {

[[nodiscard]] std::set<std::string> zone_names(const config::Config& config);

struct ReadZones {
    std::map<std::string, calendar::ZonePtr> zones;
    std::vector<base::Error> problems;  // of zones that could not be read
};
// Blocks.
[[nodiscard]] ReadZones read_zones(calendar::ZoneDatabase& database, const std::set<std::string>& names);

struct ZonesReplaced {
    ConfigPtr config;
    std::vector<scheduler::Planner::ZoneChange> jobs;  // those whose rules are others now
};
// Pure. Zones that are missing in `zones`, or whose rules are the same, stay as they are.
[[nodiscard]] ZonesReplaced with_zones(const config::Config& config,
                                       const std::map<std::string, calendar::ZonePtr>& zones);

}  // namespace pgbakd::service
