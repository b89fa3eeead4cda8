// Reading a set again that was read long ago: what lies on disks goes bad unnoticed.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "catalog/catalog.hpp"
#include "repository/repository.hpp"

namespace pgbakd::health {

struct Checked {
    model::SetId id;
    base::Timestamp checked_at{};  // the last time all of it was read
    base::Timestamp tried_at{};    // when that was tried in vain since; the epoch: it was not
};
// The set whose last check is longest ago; nothing if all were checked within a week: reading a terabyte each few hours
// would prove little more. One that could not be read lets the others go first. Pure.
[[nodiscard]] std::optional<model::SetId> next_to_read(const std::vector<Checked>& sets, base::Timestamp now);

// The sets of the repository that can be read again, with what manifests and the catalog know of their checks: not
// those found corrupt already, nor those that cannot be looked at. Blocks. Throws what listing brings.
[[nodiscard]] std::vector<Checked> sets_to_read(const repository::Repository& repository, catalog::Catalog& catalog);

struct Reread {
    enum class Result {
        good,
        corrupt,  // noted with the set and in the catalog: from now on it counts for nothing
        unread,   // it could not be read: nothing is known that was not known before
        gone,     // retention took it meanwhile
    };
    Result result{};
    std::string message;  // what is wrong, or why it could not be read
};
// Reads a set to its end, by checksum and format, and notes what came of it. Blocks for as long as that takes;
// `progress` is told the bytes read and returns false to stop (then Error cancelled). Throws where what was found could
// not be noted.
[[nodiscard]] Reread reread(const repository::Repository& repository, catalog::Catalog& catalog, const model::SetId& id,
                            base::Timestamp now, const repository::Progress& progress);

}  // namespace pgbakd::health
