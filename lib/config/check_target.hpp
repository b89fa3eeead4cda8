// What must hold between the keys of a target.
#pragma once

#include "config/keys.hpp"

namespace pgbakd::config {

void check_target(Problems& problems, const Config& config, const Named<model::TargetSpec>& target);

}  // namespace pgbakd::config
