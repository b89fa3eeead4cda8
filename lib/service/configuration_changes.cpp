#include "service/configuration_changes.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace pgbakd::service {
namespace {

// A job with all that bears on it, as a text to compare.
std::string effective_job(const config::Config& config, const std::shared_ptr<const model::JobSpec>& job) {
    config::Config part;
    part.timezone = config.timezone;
    part.zone = config.zone;
    part.jobs = {job};
    if (const auto& server = model::server_of(job->source); !server.empty())
        part.servers.insert(*config.servers.find(server));
    for (const auto& name : job->targets) part.targets.insert(*config.targets.find(name));
    return config::effective_yaml(part);
}

}  // namespace

std::vector<std::string> changes(const config::Config& before, const config::Config& after) {
    std::vector<std::string> result;
    for (const auto& job : after.jobs) {
        const auto known = before.job(job->name);
        if (!known)
            result.push_back(fmt::format("job {} added", job->name));
        else if (effective_job(before, known) != effective_job(after, job))
            result.push_back(fmt::format("job {} changed", job->name));
    }
    for (const auto& job : before.jobs)
        if (!after.job(job->name)) result.push_back(fmt::format("job {} removed", job->name));
    if (result.empty() && config::effective_yaml(before) != config::effective_yaml(after))
        result.emplace_back("settings changed");
    return result;
}

std::vector<config::Problem> needs_restart(const config::Config& before, const config::Config& after,
                                           const std::string& file) {
    std::vector<config::Problem> problems;
    const auto check = [&](bool same, const std::string& path) {
        if (same) return;
        problems.push_back({config::Problem::Severity::error, file, 0, 0, path,
                            "cannot be changed while the daemon runs", "systemctl restart pgbakd"});
    };
    check(before.repository.directory == after.repository.directory, "repository.directory");
    check(before.reports_directory == after.reports_directory, "reports.directory");
    check(before.api_socket == after.api_socket, "api.socket");
    check(before.limits.nice == after.limits.nice, "limits.nice");
    return problems;
}

}  // namespace pgbakd::service
