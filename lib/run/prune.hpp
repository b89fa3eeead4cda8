// Local retention carried out: the plan over what lies in the repository, and its deletions.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "calendar/zone.hpp"
#include "catalog/catalog.hpp"
#include "model/job.hpp"
#include "repository/repository.hpp"
#include "retention/plan.hpp"

namespace pgbakd::run {

// What the catalog knows of sets that bears on their retention.
struct SetFacts {
    std::vector<catalog::SetState> states;
    std::vector<catalog::Copy> owed;
};
// `catalog` may be null. Blocks.
[[nodiscard]] SetFacts set_facts(catalog::Catalog* catalog);

// What the retention plan must know of the sets of a job, from the disk, from later checks, and from what is owed.
[[nodiscard]] std::vector<retention::Candidate> candidates(const std::vector<repository::StoredSet>& sets,
                                                           const SetFacts& facts);

// What holds a set of which a copy is owed, as people read it.
[[nodiscard]] std::string held_by_owed_copy(const std::string& target);
// What holds sets besides what the disk and the catalog say.
using Holds = std::map<model::SetId, std::vector<std::string>>;

// The local plan of a job. `catalog` may be null (no daemon ever ran here). `made` is the set of the run that prunes,
// if one does: whatever the plan makes of it, a run does not delete what it has just made. Nothing goes from a
// repository that is not the one that the catalog is about. Blocks.
[[nodiscard]] std::vector<retention::Decision> plan_local(const repository::Repository& repository,
                                                          catalog::Catalog* catalog, const model::JobSpec& job,
                                                          base::Timestamp now,
                                                          const std::optional<model::SetId>& made = std::nullopt,
                                                          const Holds& holds = {});

struct Pruned {
    std::vector<retention::Decision> deleted;
    std::vector<std::string> failures;  // sets that could not be removed, with the reason
    // Why the catalog still knows of sets that are gone: no harm, since whether a set exists the repository decides.
    std::optional<base::Error> not_forgotten;
};
// Deletes what a plan says, one set after the other. Blocks. The caller holds the job's lock since before the plan.
[[nodiscard]] Pruned delete_local(const repository::Repository& repository, catalog::Catalog* catalog,
                                  std::vector<retention::Decision> plan);
// Plans and deletes. Blocks. The caller holds the job's lock.
[[nodiscard]] Pruned prune_local(const repository::Repository& repository, catalog::Catalog* catalog,
                                 const model::JobSpec& job, base::Timestamp now,
                                 const std::optional<model::SetId>& made = std::nullopt);

}  // namespace pgbakd::run
