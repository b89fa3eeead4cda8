// What checks found against sets, kept where the loss of the catalog does not lose it: with the sets themselves.
#pragma once

#include <vector>

#include "catalog/catalog.hpp"
#include "repository/repository.hpp"

namespace pgbakd::run {

struct KeptFindings {
    std::vector<model::SetId> marked;  // that the catalog alone knew as corrupt until now
    // Where the mark could not be written; the catalog still speaks against the set. Each names its set.
    std::vector<base::Error> failures;
};
// Sets that the catalog knows as corrupt and that bear no mark, since the finding is older than the marks or the disk
// was read-only then, get it. Those that are gone, or not to be seen now, are left out. Blocks. Throws where the
// catalog cannot be read.
[[nodiscard]] KeptFindings keep_findings(const repository::Repository& repository, catalog::Catalog& catalog);

}  // namespace pgbakd::run
