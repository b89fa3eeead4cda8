// prune on targets: each place by its own plan, and what they lack is kept here.
#pragma once

#include <string>
#include <vector>

#include "admin/context.hpp"
#include "admin/remote.hpp"
#include "catalog/catalog.hpp"
#include "config/config.hpp"
#include "offsite/retention.hpp"
#include "retention/plan.hpp"
#include "run/prune.hpp"

namespace pgbakd::admin {

struct PlacedDecision {
    std::string place;  // "local", or a target's name
    retention::Decision decision;
};
struct TargetsOutcome {
    std::vector<PlacedDecision> decisions;
    std::vector<std::string> failures;  // what could not be deleted or asked
    std::vector<std::string> remarks;
    std::size_t failed = 0;  // sets that were to be deleted and are still there
};

// Around the targets of one job.
struct JobTargets {
    Context& context;
    const config::Config& config;
    const ResolveSecret& secrets;
    const std::shared_ptr<const model::JobSpec>& job;
    catalog::Catalog* catalog;  // null: no daemon ever ran here
};
struct TargetPlan {
    std::string target;
    offsite::RemotePlan plan;
    bool recorded = false;
};
struct TargetPlans {
    std::vector<TargetPlan> plans;  // of those that could be asked
    // Local sets that must stay: those that targets lack, and those of which nothing says that they are on one that
    // could not be asked.
    run::Holds holds;
};

// The plans of the job on its targets: made before anything goes anywhere. A target that cannot be asked is a failure,
// and the others are still asked. Nothing is written.
[[nodiscard]] TargetPlans plan_targets(const JobTargets& around, TargetsOutcome& outcome);

// Enters what the plans have found out into the catalog, above all what is owed. Gives whether that is done: a disk may
// be so full that something has to go before.
bool record_plans(const JobTargets& around, TargetPlans& plans, TargetsOutcome* outcome);

void append_decisions(const TargetPlans& plans, TargetsOutcome& outcome);

// Carries the plans out, and no others.
void apply_plans(const JobTargets& around, const TargetPlans& plans, TargetsOutcome& outcome);

}  // namespace pgbakd::admin
