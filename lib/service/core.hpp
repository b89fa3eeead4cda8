// What the parts of the daemon share. Daemon owns the one Core: it is made before the parts and outlives them. Used on
// the reactor only; blocking work on `catalog`, `repository` and the files goes to `pool`.
#pragma once

#include <memory>
#include <string>

#include "async/pool.hpp"
#include "base/clock.hpp"
#include "calendar/zone_database.hpp"
#include "catalog/catalog.hpp"
#include "config/config.hpp"
#include "offsite/targets.hpp"
#include "repository/repository.hpp"
#include "run/services.hpp"
#include "scheduler/driver.hpp"
#include "scheduler/planner.hpp"
#include "service/log.hpp"
#include "service/runner.hpp"
#include "systemd/notifier.hpp"

namespace pgbakd::service {

using ConfigPtr = std::shared_ptr<const config::Config>;

struct Core {
    Core(std::filesystem::path file, Log& the_log, calendar::ZoneDatabase& the_zones, ConfigPtr loaded);

    std::filesystem::path configuration_file;
    Log& log;
    calendar::ZoneDatabase& zones;
    base::SystemClock clock;
    ConfigPtr config;  // replaced by a reload and by new time zone rules; runs in flight hold the job they began with
    repository::Repository repository;
    asio::io_context io{1};
    async::Pool pool;
    scheduler::Planner planner;
    systemd::Notifier notifier;
    // From the start on, in this order:
    std::unique_ptr<catalog::Catalog> catalog;
    std::unique_ptr<offsite::Targets> targets;
    std::unique_ptr<run::Services> services;
    std::unique_ptr<Runner> runner;
    std::unique_ptr<scheduler::Driver> driver;
    bool stopping = false;

    [[nodiscard]] base::Instant now() const { return base::to_instant(clock.now()); }
    // In the zone of the job, or of the configuration when there is no such job.
    [[nodiscard]] std::string people_time(const std::string& job, base::Instant at) const;
    // What systemd shows: see status_report.hpp.
    [[nodiscard]] std::string status_line() const;
    // The jobs as the planner knows them.
    [[nodiscard]] std::vector<scheduler::PlannedJob> planned_jobs() const;
};

[[nodiscard]] bool has_error(const std::vector<config::Problem>& problems);
// Each problem as a line of the log, an error or a warning.
void log_problems(Log& log, const std::vector<config::Problem>& problems);

}  // namespace pgbakd::service
