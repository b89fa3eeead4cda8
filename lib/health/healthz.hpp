// The answer of GET /healthz. Pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "model/finding.hpp"

namespace pgbakd::health {

// The places where sets of the job stay: the repository, unless it keeps none, and its targets.
[[nodiscard]] std::vector<std::string> places_of(const model::JobSpec& job);

struct Healthz {
    std::vector<std::string> jobs;  // that have no good set within their max_age, in any of their places; by name
    [[nodiscard]] bool ok() const noexcept { return jobs.empty(); }
};
// A job that has a good set in one place, and a copy too old in another, has a good set: that one is a finding only.
[[nodiscard]] Healthz healthz(const std::vector<model::Finding>& open, const config::Config& config);

}  // namespace pgbakd::health
