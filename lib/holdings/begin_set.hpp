// A set that begins: its name is one that nothing else bears, here or elsewhere.
#pragma once

#include <string>

#include "catalog/catalog.hpp"
#include "repository/repository.hpp"

namespace pgbakd::holdings {

enum class Goes { nowhere, to_targets };

// Repository::begin() with all names that the catalog knows of: those of copies, and those that runs gave of which
// nothing is left here but maybe something on a target, since they were killed while they sent it. One that goes to
// targets is noted before anything of it can be sent. Blocks. The caller holds the job's lock.
[[nodiscard]] repository::Repository::Partial begin_set(const repository::Repository& repository,
                                                        catalog::Catalog& catalog, const std::string& job,
                                                        const std::string& set_name, Goes goes, base::Timestamp now);

}  // namespace pgbakd::holdings
