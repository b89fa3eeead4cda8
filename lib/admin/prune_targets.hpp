// prune on targets: each place by its own plan.
#pragma once

#include <string>
#include <vector>

#include "admin/context.hpp"
#include "admin/remote.hpp"
#include "catalog/catalog.hpp"
#include "config/config.hpp"
#include "retention/plan.hpp"

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

// The plans of one job on its targets, carried out if `apply`. `catalog` may be null. A target that cannot be asked is
// a failure, and the others are still asked.
void prune_targets(Context& context, const config::Config& config, const ResolveSecret& secrets,
                   const std::shared_ptr<const model::JobSpec>& job, catalog::Catalog* catalog, bool apply,
                   TargetsOutcome& outcome);

}  // namespace pgbakd::admin
