// What happens to the local set when its copies are made.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "catalog/catalog.hpp"
#include "model/job.hpp"
#include "repository/repository.hpp"

namespace pgbakd::offsite {

// With `keep_local: false`: the local set if every target of the job has it, as the catalog knows; else nothing. A
// pinned one stays, one whose copy was found corrupt, and one that was found corrupt itself or cannot be read: how good
// its copies are is not known then. Blocks.
[[nodiscard]] std::optional<repository::StoredSet> droppable(const repository::Repository& repository,
                                                             catalog::Catalog& catalog, const model::JobSpec& job,
                                                             const model::SetId& id);

// Removes such a set, and says whether it did. The caller holds the job's lock, or knows that no run of it goes on, and
// has asked the targets, or has just sent it to them.
bool drop_if_copied(const repository::Repository& repository, catalog::Catalog& catalog, const model::JobSpec& job,
                    const model::SetId& id);

}  // namespace pgbakd::offsite
