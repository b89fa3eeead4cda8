// What `/healthz` says: from the same findings as `status`. Pure.
#pragma once

#include <vector>

#include "config/config.hpp"
#include "model/finding.hpp"
#include "service/control_routes.hpp"
#include "service/status_report.hpp"

namespace pgbakd::service {

struct Liveness {
    DaemonFacts daemon;
    bool stopping = false;
    std::size_t jobs = 0, running = 0;
    base::Timestamp now{};
    base::Timestamp checked_at{};  // when health was checked last; the epoch: not yet
};

// Not healthy: a job has no good set within its max_age (health::healthz), or the daemon is not ready, or ends.
[[nodiscard]] HealthVerdict decide_health(const Liveness& liveness, const std::vector<model::Finding>& findings,
                                          const config::Config& config);

}  // namespace pgbakd::service
