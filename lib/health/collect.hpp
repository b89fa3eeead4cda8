// Asks the catalog, the repository and the disks what evaluate() needs to know.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "catalog/catalog.hpp"
#include "config/config.hpp"
#include "health/inputs.hpp"
#include "repository/repository.hpp"

namespace pgbakd::health {

struct Surroundings {
    const config::Config& config;
    const repository::Repository& repository;
    catalog::Catalog& catalog;
    // Jobs of which a run is going on: what they have just begun to send is not owed yet.
    std::set<std::string> running;
    std::vector<TargetRoom> rooms{};  // as last asked for
};

// How old its newest good set may be; nothing: any. Who has no fire to come makes no set any more, and what it has made
// does not go bad by that.
[[nodiscard]] std::optional<std::chrono::milliseconds> max_age_of(const model::JobSpec& spec, base::Timestamp now);

// All of Inputs but what the daemon alone knows: fires missed, a refused reload. Of one job, or of everything. Blocks.
// A job that is new is known from a look at everything on: there has to be one after each start and reload. Throws what
// the catalog throws; a repository or disk that cannot be looked at is told in the inputs.
[[nodiscard]] Inputs collect(const Surroundings& surroundings, base::Timestamp now,
                             const std::optional<std::string>& job = std::nullopt);

// By job.
void add_missed(Inputs& inputs, const std::map<std::string, MissedFires>& missed);
// By set: when it was read again since the daemon's start, and why it could not be; no message: it could.
struct Tried {
    base::Timestamp at{};
    std::string message;
};
using TriedSets = std::map<model::SetId, Tried>;
// Those that are in the repository still. Blocks.
void add_tried(Inputs& inputs, const TriedSets& tried, const repository::Repository& repository);
// What became of a later run than the catalog knows of. One that does not say whether backups work
// (Catalog::last_verdict) changes nothing.
void add_run(Inputs& inputs, const model::RunReport& run);

}  // namespace pgbakd::health
