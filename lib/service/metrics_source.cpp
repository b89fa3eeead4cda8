#include "service/metrics_source.hpp"

#include <unordered_map>

#include "health/collect.hpp"

namespace pgbakd::service {
namespace {

JobMetrics job_metrics(const model::JobSpec& job, const JobFacts& facts, base::Timestamp now) {
    JobMetrics metrics;
    metrics.job = job.name;
    metrics.last_success = facts.last_success;
    if (const auto& newest = facts.newest()) metrics.newest = {newest->started_at, newest->bytes, newest->duration};
    metrics.max_age = health::max_age_of(job, now);
    if (facts.local) metrics.places.push_back({local_place, facts.local->sets, facts.local->bytes});
    for (const auto& [target, total] : facts.targets) metrics.places.push_back({target, total.sets, total.bytes});
    std::map<std::string, JobMetrics::Owed> owed;
    for (const auto& target : job.targets) owed[target].target = target;
    for (const auto& copy : facts.owed) {
        auto& sum = owed[copy.target];
        sum.target = copy.target;
        ++sum.copies;
        sum.bytes += copy.bytes;
    }
    for (auto& [target, sum] : owed) metrics.owed.push_back(std::move(sum));
    return metrics;
}

}  // namespace

MetricsInput metrics_of(const MetricsSource& source) {
    std::unordered_map<std::string_view, base::Instant> fires;
    for (const auto& fire : source.fires) fires.emplace(fire.job, fire.at);
    MetricsInput input{source.daemon.version,   source.daemon.started_at, {}, source.targets, {},
                       source.concerns->backlog};
    for (const auto& job : source.config->jobs) {
        const auto facts = source.facts->find(job->name);
        auto metrics = job_metrics(*job, facts ? *facts : JobFacts{}, source.now);
        if (const auto fire = fires.find(job->name); fire != fires.end()) metrics.next_fire = fire->second;
        metrics.running = source.running.contains(job->name);
        if (const auto counted = source.outcomes.find(job->name); counted != source.outcomes.end())
            metrics.outcomes = counted->second;
        input.jobs.push_back(std::move(metrics));
    }
    for (const auto& finding : source.concerns->findings) ++input.findings[finding.severity];
    return input;
}

std::set<std::string> running_jobs(const std::map<std::string, std::shared_ptr<ActiveRun>>& active) {
    std::set<std::string> jobs;
    for (const auto& [id, run] : active) jobs.insert(run->request.job->name);
    return jobs;
}

std::vector<TargetMetrics> sent_to(const std::map<std::string, std::shared_ptr<target::Meter>>& meters) {
    std::vector<TargetMetrics> result;
    result.reserve(meters.size());
    for (const auto& [name, meter] : meters)
        result.push_back({name, meter->uploads, meter->bytes_sent, meter->bytes_received, meter->failures});
    return result;
}

}  // namespace pgbakd::service
