// What happens to the local set when its copies are made.
#pragma once

#include <string>
#include <vector>

#include "catalog/catalog.hpp"
#include "model/job.hpp"
#include "repository/repository.hpp"

namespace pgbakd::offsite {

// With `keep_local: false`: removes the local set if every target of the job has it, and says whether it did. A pinned
// one stays, and one whose copy was found corrupt. Blocks. The caller holds the job's lock, or knows that no run of it
// goes on.
bool drop_if_copied(const repository::Repository& repository, catalog::Catalog& catalog, const model::JobSpec& job,
                    const model::SetId& id);

struct DroppedSets {
    std::vector<model::SetId> sets;
    std::vector<std::string> failures;  // with the set's name
};
// The same with each of the job's local sets: a kill or a change of the configuration may have left some. Never throws
// for one of them.
[[nodiscard]] DroppedSets drop_all_copied(const repository::Repository& repository, catalog::Catalog& catalog,
                                          const model::JobSpec& job);

}  // namespace pgbakd::offsite
