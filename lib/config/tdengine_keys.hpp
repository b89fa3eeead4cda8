// The keys of a server of type tdengine.
#pragma once

#include "config/section.hpp"
#include "model/job.hpp"

namespace pgbakd::config {

[[nodiscard]] const Section<model::ServerSpec>& tdengine_keys();

}  // namespace pgbakd::config
