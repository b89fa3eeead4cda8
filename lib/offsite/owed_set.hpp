// The local set whose copy is owed: whether it can be sent.
#pragma once

#include <optional>

#include "catalog/catalog.hpp"
#include "repository/repository.hpp"

namespace pgbakd::offsite {

struct OwedSet {
    std::optional<repository::StoredSet> set;  // it can
    std::optional<base::Error> held;           // it cannot now, for this reason, and stays owed
    // Neither: it is gone, and the repository is plainly in use.
};

// The reason for one of which that was found.
[[nodiscard]] base::Error held_as_corrupt(const model::SetId& id, const std::string& found);

// Held: a set that was found corrupt, or that cannot be read; and one that is not there, if its directory is or if the
// repository holds none as old as it: a file system that is not mounted looks like that, and runs go on into the mount
// point. Never throws for what it finds.
[[nodiscard]] OwedSet find_owed_set(const repository::Repository& repository, catalog::Catalog& catalog,
                                    const model::SetId& id);

}  // namespace pgbakd::offsite
