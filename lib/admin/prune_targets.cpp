#include "admin/prune_targets.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "host/identity.hpp"
#include "offsite/forgotten.hpp"

namespace pgbakd::admin {
namespace {

asio::awaitable<void> plan_one(offsite::Retention around, std::shared_ptr<const model::JobSpec> job,
                               base::Timestamp now, offsite::RemotePlan& plan, async::StopToken stop) {
    plan = co_await offsite::plan_remote(around, std::move(job), now, stop);
}

asio::awaitable<void> apply_one(offsite::Retention around, offsite::RemotePlan plan, offsite::RemotePruned& pruned,
                                async::StopToken stop) {
    pruned = co_await offsite::apply_remote(around, std::move(plan), stop);
}

offsite::Retention retention_of(const JobTargets& around, const repository::Repository& repository,
                                const RemoteAccess& access, const std::string& name) {
    return {access.target, name, access.pool, repository, around.catalog, false, {}, host::host_name()};
}

void add_failure(const JobTargets& around, const base::Error& error, TargetsOutcome& outcome) {
    outcome.failures.push_back(fmt::format("{}: {}", around.job->name, error.message()));
}

void hold_lacking(const JobTargets& around, const TargetPlan& planned, run::Holds& holds) {
    const auto holder = around.catalog != nullptr ? run::held_by_owed_copy(planned.target)
                                                  : fmt::format("caution, since {} lacks it", planned.target);
    for (const auto& copy : planned.plan.lacking) holds[copy.id].push_back(holder);
}

void hold_unproven(const JobTargets& around, const repository::Repository& repository, const std::string& name,
                   run::Holds& holds) {
    const auto now = around.context.around.clock.now();
    for (const auto& id : offsite::unproven_copies(name, repository, around.catalog, *around.job, now))
        holds[id].push_back(fmt::format("caution, since {} cannot be asked whether it has it", name));
}

}  // namespace

TargetPlans plan_targets(const JobTargets& around, TargetsOutcome& outcome) {
    TargetPlans plans;
    const repository::Repository repository(around.config.repository.directory);
    const auto now = around.context.around.clock.now();
    for (const auto& name : around.job->targets) {
        try {
            TargetPlan planned{.target = name, .plan = {}};
            ask_target(around.context, around.config, around.secrets, name,
                       [&](RemoteAccess access, async::StopToken stop) -> asio::awaitable<void> {
                           const auto remote = retention_of(around, repository, access, name);
                           co_await plan_one(remote, around.job, now, planned.plan, stop);
                       });
            for (const auto& remark : planned.plan.remarks) outcome.remarks.push_back(remark);
            hold_lacking(around, planned, plans.holds);
            plans.plans.push_back(std::move(planned));
        } catch (const base::Error& error) {
            add_failure(around, error, outcome);
            hold_unproven(around, repository, name, plans.holds);
        }
    }
    return plans;
}

bool record_plans(const JobTargets& around, TargetPlans& plans, TargetsOutcome* outcome) {
    if (around.catalog == nullptr) return true;
    for (auto& planned : plans.plans) {
        if (planned.recorded) continue;
        try {
            offsite::record_plan(*around.catalog, planned.plan);
            planned.recorded = true;
        } catch (const base::Error& error) {
            if (outcome != nullptr) add_failure(around, error, *outcome);
        }
    }
    return std::ranges::all_of(plans.plans, &TargetPlan::recorded);
}

void append_decisions(const TargetPlans& plans, TargetsOutcome& outcome) {
    for (const auto& planned : plans.plans)
        for (const auto& decision : planned.plan.decisions) outcome.decisions.push_back({planned.target, decision});
}

void apply_plans(const JobTargets& around, const TargetPlans& plans, TargetsOutcome& outcome) {
    const repository::Repository repository(around.config.repository.directory);
    for (auto& [name, plan, recorded] : plans.plans) {
        const auto goes = [](const retention::Decision& decision) { return !decision.keep; };
        const auto wanted = static_cast<std::size_t>(std::ranges::count_if(plan.decisions, goes));
        if (wanted == 0 && plan.stale.empty()) continue;
        offsite::RemotePruned pruned;
        try {
            ask_target(around.context, around.config, around.secrets, name,
                       [&, &target = name, &planned = plan](RemoteAccess access,
                                                            async::StopToken stop) -> asio::awaitable<void> {
                           const auto remote = retention_of(around, repository, access, target);
                           co_await apply_one(remote, planned, pruned, stop);
                       });
        } catch (const base::Error& error) {
            pruned.ended = error;
        }
        for (const auto& set : pruned.retained) outcome.remarks.push_back(fmt::format("retained by {}: {}", name, set));
        for (const auto& failure : pruned.failures) outcome.failures.push_back(fmt::format("{}: {}", name, failure));
        if (pruned.ended) add_failure(around, *pruned.ended, outcome);
        outcome.failed += wanted - pruned.deleted.size();
    }
}

}  // namespace pgbakd::admin
