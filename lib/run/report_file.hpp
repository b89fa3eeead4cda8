// The JSON report of a run on disk.
#pragma once

#include <filesystem>

#include "base/clock.hpp"
#include "model/run.hpp"

namespace pgbakd::run {

// `<job>_<start in the job's zone>.json`, with the run's id behind if another run has that name. Durable. Blocks;
// throws.
std::filesystem::path write_report(const std::filesystem::path& directory, const model::RunReport& report,
                                   const std::string& set_name);

// Removes what a write_report() that was cut short a minute ago or more has left; another daemon may be writing now.
// Blocks; throws.
void sweep_reports(const std::filesystem::path& directory, base::Timestamp now);

}  // namespace pgbakd::run
