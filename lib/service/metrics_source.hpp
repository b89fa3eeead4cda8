// What the daemon knows, as `/metrics` tells it. Pure: a copy of it goes to the pool.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "service/metrics.hpp"
#include "service/overview.hpp"
#include "service/status_report.hpp"

namespace pgbakd::service {

struct MetricsSource {
    DaemonFacts daemon;
    ConfigPtr config;
    FactsPtr facts;
    ConcernsPtr concerns;
    Overview::Outcomes outcomes;
    std::vector<scheduler::Upcoming> fires;
    std::set<std::string> running;  // jobs
    std::vector<TargetMetrics> targets;
    base::Timestamp now{};
};
[[nodiscard]] MetricsInput metrics_of(const MetricsSource& source);

[[nodiscard]] std::set<std::string> running_jobs(const std::map<std::string, std::shared_ptr<ActiveRun>>& active);
[[nodiscard]] std::vector<TargetMetrics> sent_to(const std::map<std::string, std::shared_ptr<target::Meter>>& meters);

}  // namespace pgbakd::service
