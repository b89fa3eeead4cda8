// What a start must put right after a daemon that did not end well.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "run/services.hpp"

namespace pgbakd::run {

struct Reconciled {
    std::vector<model::RunReport> interrupted;  // runs found running; now INTERRUPTED, with a report each
    std::vector<model::RunReport>
        finished;  // found running, but their set was committed: SUCCESS, or FAILED if incomplete
    std::vector<std::filesystem::path> swept;  // partial directories removed
    std::vector<std::string> failures;         // what could not be put right, as a person reads it
};
// Before anything is scheduled. Blocks; nothing in it is fatal.
[[nodiscard]] Reconciled reconcile(const repository::Repository& repository, catalog::Catalog& catalog,
                                   const std::filesystem::path& reports_directory, base::Timestamp now);

}  // namespace pgbakd::run
