#include "service/core.hpp"

#include <unistd.h>

#include <algorithm>

#include "scheduler/jitter.hpp"
#include "service/status_report.hpp"

namespace pgbakd::service {
namespace {

// 2026-11-01: the clock of a machine without a battery begins in 1970; nothing is scheduled before this was written.
constexpr base::Instant earliest_believable{std::chrono::seconds{1793491200}};

// What compresses at once, and beside it a thread for each run that may sit in an fsync or read a large file back, so
// that neither a slow disk nor the watchdog's look at the pool stops the others. A thread that waits costs little; a
// reload may raise limits.concurrent_runs up to this many.
std::size_t pool_threads(const model::Limits& limits) {
    constexpr int most_runs_expected = 16;
    const auto cores = static_cast<std::size_t>(std::max(1L, sysconf(_SC_NPROCESSORS_ONLN)));
    const auto compressing = std::max<std::size_t>(cores, static_cast<std::size_t>(limits.compression_threads));
    return compressing + static_cast<std::size_t>(std::max(most_runs_expected, limits.concurrent_runs)) + 2;
}

}  // namespace

Core::Core(std::filesystem::path file, Log& the_log, calendar::ZoneDatabase& the_zones, ConfigPtr loaded)
    : configuration_file(std::move(file)),
      log(the_log),
      zones(the_zones),
      config(std::move(loaded)),
      repository(config->repository.directory),
      pool(pool_threads(config->limits), config->limits.nice),
      planner(earliest_believable),
      notifier(systemd::Notifier::from_environment()) {}

std::string Core::people_time(const std::string& job, base::Instant at) const {
    const auto spec = config->job(job);
    return calendar::format_for_people(at, spec ? *spec->zone : *config->zone);
}

std::string Core::status_line() const {
    return service::status_line(*config, planner, runner->active());
}

std::vector<scheduler::PlannedJob> Core::planned_jobs() const {
    std::vector<scheduler::PlannedJob> jobs;
    for (const auto& job : config->jobs)
        jobs.push_back({job->name, job->schedule, job->zone, job->catch_up, job->overlap,
                        scheduler::jitter_offset(services->hostname, job->name, job->jitter), job->milestones});
    return jobs;
}

bool has_error(const std::vector<config::Problem>& problems) {
    return std::any_of(problems.begin(), problems.end(),
                       [](const auto& problem) { return problem.severity == config::Problem::Severity::error; });
}

void log_problems(Log& log, const std::vector<config::Problem>& problems) {
    for (const auto& problem : problems)
        log.write(problem.severity == config::Problem::Severity::error ? Priority::error : Priority::warning,
                  config::problem_text(problem));
}

}  // namespace pgbakd::service
