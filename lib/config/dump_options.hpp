// Which options for pg_dump an administrator may add to those that pgbakd sets.
#pragma once

#include "config/node.hpp"
#include "config/problems.hpp"
#include "model/job.hpp"

namespace pgbakd::config {

// Reports what pgbakd owns, what is no option, and what makes a set that cannot be restored alone.
void check_dump_options(Problems& problems, const Node& list);

// What depends on the format: --create, --clean and --if-exists make plain SQL that contradicts how a set is restored,
// and in an archive they do nothing.
void check_options_of_format(Problems& problems, const Node& list, model::DumpFormat format);

}  // namespace pgbakd::config
