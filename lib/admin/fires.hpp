// The coming fires of a schedule, as `next` and `check` show them. Pure.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "calendar/schedule.hpp"
#include "model/job.hpp"
#include "model/json.hpp"

namespace pgbakd::admin {

struct FireRequest {
    base::Instant after{};
    int count = 10;
};

struct JobFires {
    std::string job;  // empty: a schedule of no job
    calendar::Schedule schedule;
    calendar::ZonePtr zone;
    std::chrono::seconds jitter{};  // how much later than each fire the run starts
    std::vector<base::Instant> fires;
    std::vector<std::string> warnings;
    std::optional<base::Instant> beyond;         // where there is none in the next 100 years, but later
    std::vector<model::Milestone> milestones{};  // of a job that runs by name: those that fire
};

[[nodiscard]] JobFires fires_of(std::string job, const calendar::Schedule& schedule, calendar::ZonePtr zone,
                                const FireRequest& request);
// Of a job, with this host's jitter.
[[nodiscard]] JobFires fires_of(const model::JobSpec& job, const FireRequest& request);

// "daily at 02:00 (Europe/Berlin), runs start 2 min 7 s later (jitter)"; says so where nothing will ever fire.
[[nodiscard]] std::string summary_of(const JobFires& fires);
// "in 3 h 12 min", "in 40 d 2 h"; "2 min ago" for one that has passed; "now".
[[nodiscard]] std::string distance_text(base::Instant now, base::Instant then);

// job, schedule, timezone, never (nothing more comes by the clock), fires: [{utc, local}].
[[nodiscard]] boost::json::object json_fires(const JobFires& fires);

}  // namespace pgbakd::admin
