#include "run/prune.hpp"

#include <algorithm>
#include <map>

#include "holdings/identity.hpp"

namespace pgbakd::run {
namespace {

// Each reason once: what is to be owed may be owed by now.
void add_holds(retention::Candidate& candidate, const Holds& holds) {
    const auto found = holds.find(candidate.id);
    if (found == holds.end()) return;
    for (const auto& holder : found->second)
        if (std::ranges::find(candidate.held_by, holder) == candidate.held_by.end())
            candidate.held_by.push_back(holder);
}

}  // namespace

std::string held_by_owed_copy(const std::string& target) {
    return "a copy owed to " + target;
}

SetFacts set_facts(catalog::Catalog* catalog) {
    if (catalog == nullptr) return {};
    return {catalog->set_states(), catalog->owed_copies()};
}

std::vector<retention::Candidate> candidates(const std::vector<repository::StoredSet>& sets, const SetFacts& facts) {
    std::map<model::SetId, const catalog::SetState*> checked;
    for (const auto& state : facts.states) checked[state.id] = &state;
    std::map<model::SetId, std::vector<std::string>> owed;
    for (const auto& copy : facts.owed) owed[copy.id].push_back(held_by_owed_copy(copy.target));
    std::vector<retention::Candidate> result;
    for (const auto& set : sets) {
        retention::Candidate candidate;
        candidate.id = set.manifest.id;
        candidate.started_at = set.manifest.started_at;
        candidate.complete = set.manifest.complete;
        candidate.verified = set.manifest.verified();
        candidate.corrupt = !set.problem.empty() || set.corrupt.has_value();
        if (set.unreadable) candidate.held_by.push_back("caution, since it cannot be read now: " + set.problem);
        if (const auto found = owed.find(candidate.id); found != owed.end())
            candidate.held_by.insert(candidate.held_by.end(), found->second.begin(), found->second.end());
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
                                            const model::JobSpec& job, base::Timestamp now,
                                            const std::optional<model::SetId>& made, const Holds& holds) {
    const auto sets = repository.sets(job.name);
    auto known = candidates(sets, set_facts(catalog));
    const bool foreign =
        catalog != nullptr && holdings::identify(repository, *catalog, job.name).whose == holdings::Whose::another;
    for (auto& candidate : known) {
        if (candidate.id == made) candidate.held_by.emplace_back(retention::held_by_its_run);
        add_holds(candidate, holds);
        if (foreign) candidate.held_by.emplace_back("caution, since this is not what the state file is about");
    }
    return retention::plan(std::move(known), job.local_retention, now, *job.zone);
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
                   base::Timestamp now, const std::optional<model::SetId>& made) {
    return delete_local(repository, catalog, plan_local(repository, catalog, job, now, made));
}

}  // namespace pgbakd::run
