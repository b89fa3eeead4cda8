// The JSON report of a run on disk.
#pragma once

#include <filesystem>

#include "model/run.hpp"

namespace pgbakd::run {

// `<job>_<start in the job's zone>.json`, with the run's id behind if another run has that name. Durable. Blocks;
// throws.
std::filesystem::path write_report(const std::filesystem::path& directory, const model::RunReport& report,
                                   const std::string& set_name);

}  // namespace pgbakd::run
