#include "service/health_answer.hpp"

#include <algorithm>
#include <boost/json.hpp>

#include "health/healthz.hpp"
#include "model/json.hpp"

namespace pgbakd::service {

HealthVerdict decide_health(const Liveness& liveness, const std::vector<model::Finding>& findings,
                            const config::Config& config) {
    constexpr std::size_t most_told = 100;
    const auto verdict = health::healthz(findings, config);
    boost::json::array names;
    for (const auto& job : verdict.jobs)
        if (names.size() < most_told) names.push_back(boost::json::string(job));
    boost::json::array problems;
    for (const auto& finding : findings) {
        if (finding.key.kind != model::FindingKind::too_old || problems.size() == most_told) continue;
        if (std::binary_search(verdict.jobs.begin(), verdict.jobs.end(), finding.key.job))
            problems.push_back(finding_json(finding));
    }
    const bool ready = liveness.daemon.ready && !liveness.stopping;
    const bool healthy = ready && verdict.ok();
    const auto uptime = std::chrono::duration_cast<std::chrono::seconds>(liveness.now - liveness.daemon.started_at);
    return {healthy,
            {{"healthy", healthy},
             {"ready", ready},
             {"version", liveness.daemon.version},
             {"pid", liveness.daemon.pid},
             {"started_at", model::json_time(liveness.daemon.started_at)},
             {"uptime_seconds", std::max<std::int64_t>(0, uptime.count())},
             {"jobs", liveness.jobs},
             {"running", liveness.running},
             {"checked_at", model::json_time(liveness.checked_at)},
             {"too_old", verdict.jobs.size()},
             {"too_old_jobs", std::move(names)},
             {"problems", std::move(problems)}}};
}

}  // namespace pgbakd::service
