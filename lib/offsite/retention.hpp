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

// What is known of a copy, as the plan must know it.
[[nodiscard]] retention::Candidate candidate_of(const catalog::Copy& copy, bool pinned);
// One of which nothing is known: nobody deletes it, and it counts for nothing.
[[nodiscard]] retention::Candidate unknown_candidate(const model::SetId& id, const std::string& why);

struct RemotePlan {
    std::vector<retention::Decision> decisions;
    std::vector<model::SetId> stale;   // halves that nobody is sending, a day old or more
    std::vector<std::string> remarks;  // sets that are gone, not whole, cannot be read, another host's, or lacking
    // Copies of sets that are here and that it lacks: nobody knew any more that they are owed (forgotten.hpp), or part
    // of what it has of them is gone. Without a catalog those of which nothing says that they are there.
    std::vector<catalog::Copy> lacking;
    // What the catalog has to learn besides: copies that it did not know, and those that are gone.
    std::vector<catalog::Copy> learnt;
    std::vector<catalog::Copy> gone;
    // Of which job and target that is, and whether the catalog waits for that: Catalog::unasked_before().
    std::string job, target;
    bool is_first = false;
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
    // Keeps others from sending that set there for as long as it is held; null: somebody does. Empty: nobody can.
    std::function<std::shared_ptr<void>(const model::SetId&)> claim{};
};

// Lists the job's sets there. What the catalog does not know of them is read from their manifests. Where there are sets
// here that are older than the catalog, which was lost, and the target was not asked since, what is owed of them
// (forgotten.hpp) is entered too. Whoever deletes local sets plans the targets before, and keeps what they lack.
asio::awaitable<RemotePlan> plan_remote(Retention around, std::shared_ptr<const model::JobSpec> job,
                                        base::Timestamp now, async::StopToken stop);
// Enters what a plan has found out, as plan_remote() does with `record`. Blocks.
void record_plan(catalog::Catalog& catalog, const RemotePlan& plan);

struct RemotePruned {
    std::vector<retention::Decision> deleted;
    std::vector<std::string> retained;  // sets that the target refuses to delete, with its reason
    std::vector<std::string> failures;  // with which sets something else went wrong, and what
    std::size_t swept = 0;              // halves
    // Why the rest was not tried: a stop, or the target cannot be asked. It stays for the next time.
    std::optional<base::Error> ended;
};
// Deletes what the plan says. Where one set fails the others are tried. Never throws.
asio::awaitable<RemotePruned> apply_remote(Retention around, RemotePlan plan, async::StopToken stop);

}  // namespace pgbakd::offsite
