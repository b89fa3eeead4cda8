// Sets that a check found corrupt: noted with the set, where the loss of the catalog does not lose it, and in the
// catalog, where a disk that cannot be written to does not. Either speaks against the set. All of it blocks.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "catalog/catalog.hpp"
#include "repository/repository.hpp"

namespace pgbakd::holdings {

// What was found of it, by its mark or by the catalog alone; nothing if it is good.
[[nodiscard]] std::optional<std::string> found_corrupt(const repository::StoredSet& set, catalog::Catalog& catalog);

// The set counts nowhere from now on: its mark and the catalog say what was found, each even if the other cannot.
// Throws then what came of the other; of both, if neither can.
void mark_corrupt(const repository::Repository& repository, catalog::Catalog& catalog, const model::SetId& id,
                  base::Timestamp now, const std::string& message);

// What reading a set to its end has shown; it is good if `fault` is empty.
struct Rechecked {
    model::Verification level = model::Verification::none;
    base::Timestamp at{};
    std::string fault;
};
// In each of the two places by itself, for who must go on where one of them cannot be written to: a set that is not
// good counts no more, and one that was found corrupt and is good now counts again. Of one that was good before and is,
// they write nothing. The second needs no catalog that is open: it makes one where there is none.
void note_with_set(const repository::Repository& repository, const repository::StoredSet& set, const Rechecked& found);
void note_in_catalog(const std::filesystem::path& state_file, const model::SetId& id, const Rechecked& found);

struct KeptFindings {
    std::vector<model::SetId> marked;  // that the catalog alone knew as corrupt until now
    // Where the mark could not be written; the catalog still speaks against the set. Each names its set.
    std::vector<base::Error> failures;
};
// Sets that the catalog knows as corrupt and that bear no mark, since the finding is older than the marks or the disk
// was read-only then, get it. Those that are gone, or not to be seen now, are left out. Throws where the catalog cannot
// be read.
[[nodiscard]] KeptFindings keep_findings(const repository::Repository& repository, catalog::Catalog& catalog);

}  // namespace pgbakd::holdings
