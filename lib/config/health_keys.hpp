// The keys of `health`, of the whole file and of a job, and of `api`.
#pragma once

#include "config/config.hpp"
#include "config/section.hpp"

namespace pgbakd::config {

[[nodiscard]] const Section<Health>& health_keys();
[[nodiscard]] const Section<model::JobSpec>& job_health_keys(const model::JobSpec& blank);
[[nodiscard]] const Section<Config>& api_keys();

}  // namespace pgbakd::config
