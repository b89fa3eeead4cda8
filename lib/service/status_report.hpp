// What `status` says, as JSON and as the one line systemd shows. Pure but for the clock handed in.
#pragma once

#include <boost/json/object.hpp>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "config/config.hpp"
#include "model/finding.hpp"
#include "scheduler/planner.hpp"
#include "service/job_facts.hpp"
#include "service/runner.hpp"
#include "target/meter.hpp"

namespace pgbakd::service {

struct DaemonFacts {
    std::string version;
    int pid = 0;
    base::Timestamp started_at{};
    bool ready = false;
};

// What is made anew for each answer.
struct StatusInput {
    DaemonFacts daemon;
    const config::Config& config;
    const scheduler::Planner& planner;
    const std::map<std::string, std::shared_ptr<ActiveRun>>& active;
    const std::map<std::string, std::shared_ptr<target::Meter>>& meters;  // by target
    const std::map<std::string, std::uint64_t>& backlog;                  // alerts that wait, by channel
    base::Timestamp time;
    base::SteadyTime now;
};
// daemon, running, next, uploads, alerts.
[[nodiscard]] boost::json::object status_json(const StatusInput& input);

// What of `status` is large and changes seldom.
[[nodiscard]] std::string job_text(const model::JobSpec& job, const JobFacts& facts,
                                   const std::optional<base::Instant>& next,
                                   const std::vector<const model::Finding*>& findings);
[[nodiscard]] boost::json::object finding_json(const model::Finding& finding);
// The first `most` of the copies owed, by target, job and set.
inline constexpr std::size_t most_owed_told = 1000;
[[nodiscard]] boost::json::array owed_json(std::vector<OwedCopy> owed);
// The repository and each target: where it is, what is there, by which rules it is kept. Sets of jobs that are no
// longer configured are not counted.
[[nodiscard]] boost::json::array places_json(const config::Config& config, const Facts& facts);

// The state of a run in flight: stage, bytes, rate, what is expected.
[[nodiscard]] boost::json::object progress_json(const ActiveRun& run, base::SteadyTime now);
// "running shop-daily (dump, 120 MiB); next base-weekly at 2026-01-18 02:00 CET"
[[nodiscard]] std::string status_line(const config::Config& config, const scheduler::Planner& planner,
                                      const std::map<std::string, std::shared_ptr<ActiveRun>>& active);

}  // namespace pgbakd::service
