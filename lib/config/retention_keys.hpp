// The keys of a job's retention: rules for the repository and for targets.
#pragma once

#include "config/section.hpp"
#include "model/job.hpp"

namespace pgbakd::config {

// `retention` of a job; `blank` is a job without any default. What `targets` says for all targets alike stands under
// the empty name until check_job() gives each target its policy.
[[nodiscard]] const Section<model::JobSpec>& retention_keys(const model::JobSpec& blank);

}  // namespace pgbakd::config
