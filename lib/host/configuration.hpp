// The configuration as it lies on this machine's disk.
#pragma once

#include <filesystem>
#include <memory>

#include "calendar/zone_database.hpp"
#include "config/config.hpp"

namespace pgbakd::host {

inline constexpr const char* default_configuration = "/etc/pgbakd.yaml";

// Reads `file` and the *.yaml files of the directory beside it that bears its name with ".d" for ".yaml"
// (/etc/pgbakd.yaml → /etc/pgbakd.d), in name order, and validates all of it. A file that cannot be read is a problem
// like any other. Where a schedule lies in the past, the daemon's state file is asked whether it was in force before;
// then it is a warning. Blocks.
[[nodiscard]] config::LoadResult load_configuration(const std::filesystem::path& file, calendar::ZoneDatabase& zones,
                                                    base::Instant now);

}  // namespace pgbakd::host
