// The keys of a job's source: a section for each type.
#pragma once

#include <vector>

#include "config/section.hpp"
#include "model/source.hpp"

namespace pgbakd::config {

[[nodiscard]] std::vector<Kind<model::Source>> source_kinds();

}  // namespace pgbakd::config
