// Which options for pg_dump an administrator may add to those that pgbakd sets.
#pragma once

#include "config/node.hpp"
#include "config/problems.hpp"

namespace pgbakd::config {

// Reads `list` as pg_dump would (getopt_long: clusters of short options, abbreviated long ones, separate values) and
// reports what pgbakd owns, what is no option, and what makes a set that cannot be restored alone.
void check_dump_options(Problems& problems, const Node& list);

}  // namespace pgbakd::config
