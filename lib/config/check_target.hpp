// What must hold between the keys of a target, and between targets.
#pragma once

#include <vector>

#include "config/keys.hpp"

namespace pgbakd::config {

void check_target(Problems& problems, const Config& config, const Host& host, const Named<model::TargetSpec>& target);
// Two targets that are one place: an error for a job that has both, for each of them prunes what is there by rules of
// its own; else a warning.
void check_places(Problems& problems, const Host& host, const Draft& draft);

}  // namespace pgbakd::config
