// What a start must put right after a daemon that did not end well.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "host/identity.hpp"
#include "run/services.hpp"

namespace pgbakd::run {

using Jobs = std::vector<std::shared_ptr<const model::JobSpec>>;

// As catalog::Catalog::know_targets() takes them.
[[nodiscard]] std::map<std::string, std::vector<std::string>> targets_of(const Jobs& jobs);

struct Reconciled {
    // Runs that the catalog had as running have one outcome now, in the catalog and in one report each: that of the
    // report they had written, that of the set they had committed here or on a target, or INTERRUPTED.
    std::vector<model::RunReport> interrupted;
    std::vector<model::RunReport> finished;    // those that left a set
    std::vector<std::filesystem::path> swept;  // partial directories removed
    std::vector<std::string> notes;            // what else was found and put right, as a person reads it
    std::vector<std::string> failures;         // what could not be put right, likewise
};
// Before anything is scheduled. Ends client programs that such runs left on this host, settles the runs, sweeps the
// repository, and marks the sets that only the catalog knows as corrupt. No set is removed: what `keep_local: false`
// does not keep goes when its targets have been asked, which is done later. `jobs` are those of the configuration. May
// be cut short at any point: the next start goes on. Blocks; nothing in it is fatal. A repository that is new to the
// catalog becomes acquainted with it, one that is not what the catalog is about is told.
[[nodiscard]] Reconciled reconcile(const repository::Repository& repository, catalog::Catalog& catalog,
                                   const std::filesystem::path& reports_directory, const Jobs& jobs,
                                   base::Timestamp now,
                                   const std::function<std::uint64_t()>& random = host::random_number);

}  // namespace pgbakd::run
