#include "offsite/forgotten.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "offsite/backlog.hpp"
#include "offsite/retention.hpp"

namespace pgbakd::offsite {
namespace {

retention::Candidate candidate_of(const repository::StoredSet& set) {
    retention::Candidate candidate;
    candidate.id = set.manifest.id;
    candidate.started_at = set.manifest.started_at;
    candidate.complete = set.manifest.complete;
    candidate.verified = set.manifest.verified();
    candidate.corrupt = set.corrupt.has_value() || !set.problem.empty();
    candidate.pinned = set.pinned;
    candidate.milestone = !set.manifest.milestone.empty();
    return candidate;
}

}  // namespace

std::vector<catalog::Copy> forgotten_copies(const std::string& target, const BothPlaces& places,
                                            const model::RetentionPolicy& policy, base::Timestamp now,
                                            const calendar::Zone& zone) {
    std::set<model::SetId> left_out;
    for (const auto& candidate : places.there) left_out.insert(candidate.id);
    for (const auto& state : places.known_here)
        if (state.corrupt) left_out.insert(state.id);
    auto all = places.there;
    std::map<model::SetId, const model::BackupSet*> lacking;
    for (const auto& set : places.here) {
        auto candidate = candidate_of(set);
        if (left_out.contains(candidate.id) || !retention::is_good(candidate)) continue;
        lacking.emplace(candidate.id, &set.manifest);
        all.push_back(std::move(candidate));
    }
    std::vector<catalog::Copy> owed;
    for (const auto& decision : retention::plan(std::move(all), policy, now, zone))
        if (const auto found = lacking.find(decision.id); decision.keep && found != lacking.end())
            owed.push_back(owed_copy(target, *found->second, now));
    std::reverse(owed.begin(), owed.end());
    return owed;
}

std::vector<model::SetId> unproven_copies(const std::string& target, const repository::Repository& repository,
                                          catalog::Catalog* catalog, const model::JobSpec& job, base::Timestamp now) {
    BothPlaces places;
    std::set<model::SetId> owed;
    places.here = repository.sets(job.name);
    if (catalog != nullptr) {
        places.known_here = catalog->corrupt_sets(job.name);
        for (const auto& copy : catalog->copies(job.name)) {
            if (copy.target != target) continue;
            if (copy.owed)
                owed.insert(copy.id);
            else if (auto candidate = candidate_of(copy, false); retention::is_good(candidate))
                places.there.push_back(std::move(candidate));
        }
    }
    std::vector<model::SetId> unproven;
    for (auto& copy : forgotten_copies(target, places, job.target_retention.at(target), now, *job.zone))
        if (!owed.contains(copy.id)) unproven.push_back(std::move(copy.id));
    return unproven;
}

}  // namespace pgbakd::offsite
