// The dates of a job with `schedule: milestone`.
#pragma once

#include <vector>

#include "config/check_job.hpp"
#include "config/types.hpp"
#include "model/milestone.hpp"

namespace pgbakd::config {

// A list of {name: NAME, at: "2026-12-01 02:00"}; no name and no date twice.
[[nodiscard]] Type<std::vector<model::Milestone>> milestones();
// Whether they fit the job's schedule; warns of dates that have passed. Of a job whose zone is known.
void check_milestones(Problems& problems, const JobSurroundings& around, const Node& node, const model::JobSpec& job);

}  // namespace pgbakd::config
