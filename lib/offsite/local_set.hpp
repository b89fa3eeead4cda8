// What happens to the local set when its copies are made.
#pragma once

#include "catalog/catalog.hpp"
#include "model/job.hpp"
#include "repository/repository.hpp"

namespace pgbakd::offsite {

// With `keep_local: false`: removes the local set if every target of the job has it, and says whether it did. A pinned
// one stays. Blocks. The caller holds the job's lock, or knows that no run of it goes on.
bool drop_if_copied(const repository::Repository& repository, catalog::Catalog& catalog, const model::JobSpec& job,
                    const model::SetId& id);

}  // namespace pgbakd::offsite
