#include "service/zone_changes.hpp"

namespace pgbakd::service {

std::set<std::string> zone_names(const config::Config& config) {
    std::set<std::string> names{config.zone->name()};
    for (const auto& job : config.jobs) names.insert(job->zone->name());
    return names;
}

ReadZones read_zones(calendar::ZoneDatabase& database, const std::set<std::string>& names) {
    ReadZones result;
    for (const auto& name : names) {
        if (auto zone = database.find(name))
            result.zones.emplace(name, *zone);
        else
            result.problems.push_back(zone.error());
    }
    return result;
}

ZonesReplaced with_zones(const config::Config& config, const std::map<std::string, calendar::ZonePtr>& zones) {
    const auto newer = [&zones](const calendar::ZonePtr& zone) {
        const auto found = zones.find(zone->name());
        return found == zones.end() || found->second->has_rules_of(*zone) ? nullptr : found->second;
    };
    auto changed = std::make_shared<config::Config>(config);
    ZonesReplaced result;
    if (auto zone = newer(config.zone)) changed->zone = std::move(zone);
    for (auto& job : changed->jobs) {
        auto zone = newer(job->zone);
        if (!zone) continue;
        auto moved = std::make_shared<model::JobSpec>(*job);
        moved->zone = zone;
        result.jobs.push_back({job->name, std::move(zone)});
        job = std::move(moved);
    }
    result.config = std::move(changed);
    return result;
}

}  // namespace pgbakd::service
