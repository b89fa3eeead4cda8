#include "run/prune.hpp"

#include <map>

namespace pgbakd::run {

std::vector<retention::Candidate> candidates(const std::vector<repository::StoredSet>& sets,
                                             const std::vector<catalog::SetState>& states) {
    std::map<model::SetId, const catalog::SetState*> checked;
    for (const auto& state : states) checked[state.id] = &state;
    std::vector<retention::Candidate> result;
    for (const auto& set : sets) {
        retention::Candidate candidate;
        candidate.id = set.manifest.id;
        candidate.started_at = base::to_instant(set.manifest.started_at);
        candidate.complete = set.manifest.complete;
        candidate.verified = set.manifest.verified();
        candidate.corrupt = !set.problem.empty();
        if (set.unreadable) candidate.held_by.push_back("caution, since it cannot be read now: " + set.problem);
        candidate.pinned = set.pinned;
        candidate.milestone = !set.manifest.milestone.empty();
        if (const auto found = checked.find(candidate.id); found != checked.end()) {
            candidate.corrupt = candidate.corrupt || found->second->corrupt;
            candidate.verified = std::max(candidate.verified, found->second->verified);
        }
        result.push_back(std::move(candidate));
    }
    return result;
}

std::vector<retention::Decision> plan_local(const repository::Repository& repository, catalog::Catalog* catalog,
                                            const model::JobSpec& job, base::Instant now) {
    const auto sets = repository.sets(job.name);
    const auto states = catalog != nullptr ? catalog->set_states() : std::vector<catalog::SetState>{};
    return retention::plan(candidates(sets, states), job.local_retention, now, *job.zone);
}

Pruned delete_local(const repository::Repository& repository, catalog::Catalog* catalog,
                    std::vector<retention::Decision> plan) {
    Pruned pruned;
    for (auto& decision : plan) {
        if (decision.keep) continue;
        try {
            repository.remove(decision.id);
        } catch (const base::Error& error) {
            pruned.failures.push_back(decision.id.text() + ": " + error.message());
            continue;
        }
        try {
            if (catalog != nullptr) catalog->forget_set(decision.id);
        } catch (const base::Error& error) {
            // On a full disk the catalog cannot grow, and then to delete is what is needed most.
            pruned.not_forgotten = error;
        }
        pruned.deleted.push_back(std::move(decision));
    }
    return pruned;
}

Pruned prune_local(const repository::Repository& repository, catalog::Catalog* catalog, const model::JobSpec& job,
                   base::Instant now) {
    return delete_local(repository, catalog, plan_local(repository, catalog, job, now));
}

}  // namespace pgbakd::run
