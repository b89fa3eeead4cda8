// Retention on a target: the plan over what lies there, and what it deletes.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "async/pool.hpp"
#include "catalog/catalog.hpp"
#include "model/job.hpp"
#include "repository/repository.hpp"
#include "retention/plan.hpp"
#include "target/target.hpp"

namespace pgbakd::offsite {

struct RemotePlan {
    std::vector<retention::Decision> decisions;
    std::vector<model::SetId> stale;   // halves that nobody is sending, a day old or more
    std::vector<std::string> remarks;  // sets that are gone from there, cannot be read, or are another host's
};

struct Retention {
    target::Target& target;
    std::string name;  // the target's
    async::Pool& pool;
    const repository::Repository& repository;
    catalog::Catalog* catalog = nullptr;  // null: no daemon ever ran here
    bool record = false;                  // enters what it learns into the catalog
    std::optional<model::SetId> made;     // the set of the run that prunes, which does not delete it
    std::string host;                     // this one's name: what another has made, it prunes
};

// Lists the job's sets there. What the catalog does not know of them is read from their manifests.
asio::awaitable<RemotePlan> plan_remote(Retention around, std::shared_ptr<const model::JobSpec> job,
                                        base::Timestamp now, async::StopToken stop);

struct RemotePruned {
    std::vector<retention::Decision> deleted;
    std::vector<std::string> retained;  // sets that the target refuses to delete, with its reason
    std::size_t swept = 0;              // halves
};
// Deletes what the plan says. Throws where the target cannot be asked; then the rest stays for the next time.
asio::awaitable<RemotePruned> apply_remote(Retention around, RemotePlan plan, async::StopToken stop);

}  // namespace pgbakd::offsite
