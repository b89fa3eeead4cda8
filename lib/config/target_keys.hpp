// The keys of `targets`: a section for each type.
#pragma once

#include <vector>

#include "config/section.hpp"
#include "model/target.hpp"

namespace pgbakd::config {

[[nodiscard]] std::vector<Kind<model::TargetSpec>> target_kinds();

}  // namespace pgbakd::config
