// What `status` says, as JSON and as the one line systemd shows. Pure but for the clock handed in.
#pragma once

#include <boost/json/object.hpp>
#include <map>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "catalog/catalog.hpp"
#include "config/config.hpp"
#include "scheduler/planner.hpp"
#include "service/runner.hpp"
#include "target/meter.hpp"

namespace pgbakd::service {

struct DaemonFacts {
    std::string version;
    int pid = 0;
    base::Timestamp started_at{};
    bool ready = false;
};

struct NewestSet {
    std::string set;
    base::Timestamp started_at{};
    std::uint64_t bytes = 0;
    std::string verified;
};

struct StatusInput {
    DaemonFacts daemon;
    const config::Config& config;
    const scheduler::Planner& planner;
    const std::map<std::string, std::shared_ptr<ActiveRun>>& active;
    std::map<std::string, base::Timestamp> last_success;  // by job
    std::map<std::string, NewestSet> newest;              // by job
    std::vector<catalog::Copy> owed;
    const std::map<std::string, std::shared_ptr<target::Meter>>& meters;  // by target
    base::Timestamp time;
    base::SteadyTime now;
};

[[nodiscard]] boost::json::object status_json(const StatusInput& input);
// The state of a run in flight: stage, bytes, rate, what is expected.
[[nodiscard]] boost::json::object progress_json(const ActiveRun& run, base::SteadyTime now);
// "running shop-daily (dump, 120 MiB); next base-weekly at 2026-01-18 02:00 CET"
[[nodiscard]] std::string status_line(const config::Config& config, const scheduler::Planner& planner,
                                      const std::map<std::string, std::shared_ptr<ActiveRun>>& active);

}  // namespace pgbakd::service
