#include "admin/prune_targets.hpp"

#include <fmt/format.h>

#include "host/identity.hpp"
#include "offsite/retention.hpp"

namespace pgbakd::admin {
namespace {

asio::awaitable<void> prune_one(offsite::Retention around, std::shared_ptr<const model::JobSpec> job,
                                base::Timestamp now, bool apply, TargetsOutcome& outcome, async::StopToken stop) {
    auto plan = co_await offsite::plan_remote(around, std::move(job), now, stop);
    for (const auto& remark : plan.remarks) outcome.remarks.push_back(remark);
    std::size_t wanted = 0;
    for (const auto& decision : plan.decisions) {
        outcome.decisions.push_back({around.name, decision});
        if (!decision.keep) ++wanted;
    }
    if (!apply) co_return;
    const auto pruned = co_await offsite::apply_remote(around, std::move(plan), stop);
    for (const auto& set : pruned.retained)
        outcome.remarks.push_back(fmt::format("retained by {}: {}", around.name, set));
    outcome.failed += wanted - pruned.deleted.size();
}

}  // namespace

void prune_targets(Context& context, const config::Config& config, const ResolveSecret& secrets,
                   const std::shared_ptr<const model::JobSpec>& job, catalog::Catalog* catalog, bool apply,
                   TargetsOutcome& outcome) {
    const repository::Repository repository(config.repository.directory);
    for (const auto& name : job->targets) {
        try {
            ask_target(
                context, config, secrets, name,
                [&](RemoteAccess access, async::StopToken stop) -> asio::awaitable<void> {
                    const offsite::Retention around{
                        access.target,    name, access.pool, repository, catalog, apply && catalog != nullptr, {},
                        host::host_name()};
                    co_await prune_one(around, job, context.around.clock.now(), apply, outcome, stop);
                });
        } catch (const base::Error& error) {
            outcome.failures.push_back(fmt::format("{}: {}", job->name, error.message()));
        }
    }
}

}  // namespace pgbakd::admin
