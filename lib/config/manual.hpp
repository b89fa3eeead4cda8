// What pgbakd.yaml(5) says of the keys.
#pragma once

#include "base/roff.hpp"

namespace pgbakd::config {

// A subsection for each section of the file, with each key, its values, default and meaning, from the table of keys.
void describe_keys(base::Roff& page);

}  // namespace pgbakd::config
