#include "health/healthz.hpp"

#include <set>

#include "health/inputs.hpp"

namespace pgbakd::health {

std::vector<std::string> places_of(const model::JobSpec& job) {
    std::vector<std::string> places;
    if (job.keep_local == model::KeepLocal::always || job.targets.empty()) places.emplace_back(local_place);
    places.insert(places.end(), job.targets.begin(), job.targets.end());
    return places;
}

Healthz healthz(const std::vector<model::Finding>& open, const config::Config& config) {
    std::map<std::string, std::set<std::string>> too_old;
    for (const auto& finding : open)
        if (finding.key.kind == model::FindingKind::too_old) too_old[finding.key.job].insert(finding.key.place);
    Healthz result;
    for (const auto& [name, places] : too_old) {
        const auto job = config.job(name);
        if (!job) continue;
        bool has_one = false;
        for (const auto& place : places_of(*job)) has_one = has_one || !places.contains(place);
        if (!has_one) result.jobs.push_back(name);
    }
    return result;
}

}  // namespace pgbakd::health
