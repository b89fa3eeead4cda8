// The local set whose copy is owed: whether it can be sent.
#pragma once

#include <optional>
#include <string>

#include "catalog/catalog.hpp"
#include "repository/repository.hpp"

namespace pgbakd::offsite {

struct OwedSet {
    std::optional<repository::StoredSet> set;  // it can
    std::optional<base::Error> held;           // it cannot now, for this reason, and stays owed
    // Neither: it is gone.
};

// The reason for one of which that was found.
[[nodiscard]] base::Error held_as_corrupt(const model::SetId& id, const std::string& found);

// Held: a set that was found corrupt, or that cannot be read; and one that is not there, if its directory is, or if the
// repository is another than the one that the catalog is about (holdings/identity.hpp). Where that is not known, if it
// holds none as old as this one: a file system that is not mounted looks like that, and runs go on into the mount
// point. Never throws for what it finds.
[[nodiscard]] OwedSet find_owed_set(const repository::Repository& repository, catalog::Catalog& catalog,
                                    const model::SetId& id);

// Whether half of that set is of any use on that target: its copy is owed, something of it was sent from here, and the
// local set may be sent yet. What another attempt cannot go on with only stands in its way. Blocks.
[[nodiscard]] bool is_half_of_use(const repository::Repository& repository, catalog::Catalog& catalog,
                                  const std::string& target, const model::SetId& id);

}  // namespace pgbakd::offsite
