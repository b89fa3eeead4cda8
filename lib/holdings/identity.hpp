// Whether the repository that is there is the one that the catalog is about: by an id that both have, the repository in
// a file at its top. What is missing in a repository that is another one, or is not mounted, is not gone. Blocks.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "catalog/catalog.hpp"
#include "repository/repository.hpp"

namespace pgbakd::holdings {

enum class Whose {
    ours,     // what is not there is gone
    another,  // it has another id or none, or the job's directory does
    unknown,  // the catalog was never told an id, or nothing says whose the job's directory is
};
struct Identity {
    Whose whose = Whose::unknown;
    std::string what;  // of another: "the repository /x has no id", as a person reads it
    std::string hint;
};
// Of the repository as a whole, and of what it has of a job.
[[nodiscard]] Identity identify(const repository::Repository& repository, catalog::Catalog& catalog);
[[nodiscard]] Identity identify(const repository::Repository& repository, catalog::Catalog& catalog,
                                const std::string& job);

[[nodiscard]] std::string new_identity(base::Timestamp now, const std::function<std::uint64_t()>& random);

// At a start: where the catalog was never told an id, the repository's becomes that, or `fresh` becomes both's; but
// only where the two plainly belong together: the catalog knows of nothing, or the repository has sets of which it
// knows and lacks none whose copy is owed. Throws where the id cannot be written or noted.
[[nodiscard]] bool knows_nothing(catalog::Catalog& catalog);  // of any run, set or copy
void become_acquainted(const repository::Repository& repository, catalog::Catalog& catalog, const std::string& fresh);

// As an administrator wants it: whatever repository that is, the catalog is about it from now on. `fresh`: the id if
// neither has one.
void take_over(const repository::Repository& repository, catalog::Catalog& catalog, const std::string& fresh);

}  // namespace pgbakd::holdings
