// Whether the catalog is older than sets that lie here: an old state file was put back.
#pragma once

#include <string>
#include <vector>

#include "catalog/catalog.hpp"
#include "repository/repository.hpp"

namespace pgbakd::holdings {

// Has the catalog notice of each of these jobs what it knows nothing of (Catalog::notice_gaps). Before anything is run
// or deleted that trusts it, as often as one likes. A repository that is not the one it is about tells nothing. Blocks.
void notice_gaps(const repository::Repository& repository, catalog::Catalog& catalog,
                 const std::vector<std::string>& jobs, base::Timestamp now);

}  // namespace pgbakd::holdings
