// Copies that are owed and that nobody knows of any more, since the state file was lost.
#pragma once

#include <string>
#include <vector>

#include "catalog/catalog.hpp"
#include "model/job.hpp"
#include "repository/repository.hpp"
#include "retention/plan.hpp"

namespace pgbakd::offsite {

// What is in both places of one job.
struct BothPlaces {
    std::vector<retention::Candidate> there;    // all sets that the target has, readable or not
    std::vector<repository::StoredSet> here;    // in the repository
    std::vector<catalog::SetState> known_here;  // what checks found of those
};
// Of the sets that are here, complete and good, those that are not there though the target's retention would keep them
// beside what is: as copies that are owed, due at once, the oldest first. What retention has deleted there it would
// delete again, so that this is never owed. Pure.
[[nodiscard]] std::vector<catalog::Copy> forgotten_copies(const std::string& target, const BothPlaces& places,
                                                          const model::RetentionPolicy& policy, base::Timestamp now,
                                                          const calendar::Zone& zone);

// Of a target that cannot be asked: the sets that are here and that its retention would keep, of which the catalog
// (maybe null) says neither that they are there nor that they are owed. The oldest first. Blocks.
[[nodiscard]] std::vector<model::SetId> unproven_copies(const std::string& target,
                                                        const repository::Repository& repository,
                                                        catalog::Catalog* catalog, const model::JobSpec& job,
                                                        base::Timestamp now);

}  // namespace pgbakd::offsite
