// Local retention over a repository of real sets.
#include "run/prune.hpp"

#include <fstream>

#include "holdings/identity.hpp"
#include "support/catch.hpp"
#include "support/nouns.hpp"
#include "support/temporary_directory.hpp"

namespace base = pgbakd::base;
namespace model = pgbakd::model;
namespace repository = pgbakd::repository;
namespace run = pgbakd::run;

namespace {

model::SetId add_set(const repository::Repository& place, base::Timestamp started_at) {
    const auto name = model::set_name(base::to_instant(started_at), *pgbakd::calendar::Zone::utc());
    return pgbakd::testing::commit_small_set(place, "job", name, started_at).id;
}

std::vector<std::string> names(const repository::Repository& place) {
    std::vector<std::string> result;
    for (const auto& set : place.sets("job")) result.push_back(set.manifest.id.set);
    return result;
}

constexpr base::Timestamp noon{std::chrono::milliseconds(1'768'000'000'000)};

model::JobSpec keep_the_newest() {
    model::RetentionPolicy policy;
    policy.last = 1;
    policy.at_least = 1;
    auto job = pgbakd::testing::job_spec("job");
    job.local_retention = policy;
    return job;
}

}  // namespace

TEST_CASE("many runs in one second each keep their own set, and prune the one before") {
    const support::TemporaryDirectory directory;
    const repository::Repository place(directory / "repository");
    place.prepare();
    const auto job = keep_the_newest();
    for (int i = 0; i < 12; ++i) {
        const auto began = noon + std::chrono::milliseconds(80 * i);
        const auto made = add_set(place, began);
        const auto pruned = run::prune_local(place, nullptr, job, began + std::chrono::milliseconds(40));
        CHECK(names(place) == std::vector<std::string>{made.set});
        CHECK(pruned.deleted.size() == (i == 0 ? 0 : 1));
    }
}

TEST_CASE("a run does not delete the set that it has just made, whatever a clock made of its place") {
    const support::TemporaryDirectory directory;
    const repository::Repository place(directory / "repository");
    place.prepare();
    const auto before = add_set(place, noon);
    const auto made = add_set(place, noon - std::chrono::hours(1));  // the clock was set back, and forth again
    const auto job = keep_the_newest();
    const auto later = noon + std::chrono::seconds(1);
    const auto plan = run::plan_local(place, nullptr, job, later, made);
    REQUIRE(plan.size() == 2);
    CHECK(plan.at(1).id == made);
    CHECK(plan.at(1).reason == "held by the run that has just made it");
    CHECK(run::prune_local(place, nullptr, job, later, made).deleted.empty());
    // To everybody else it is a set like any other.
    CHECK(run::prune_local(place, nullptr, job, later).deleted.size() == 1);
    CHECK(names(place) == std::vector<std::string>{before.set});
}

TEST_CASE("nothing is deleted from a repository that is not what the catalog is about") {
    const support::TemporaryDirectory directory;
    const repository::Repository place(directory / "repository");
    place.prepare();
    const auto catalog = pgbakd::catalog::Catalog::open(directory / "state.db", noon);
    for (int i = 0; i < 3; ++i) add_set(place, noon + std::chrono::seconds(i));
    const auto job = keep_the_newest();
    const auto later = noon + std::chrono::minutes(1);
    catalog->put_repository_id("OURS");
    const auto plan = run::plan_local(place, catalog.get(), job, later);
    REQUIRE(plan.size() == 3);
    CHECK(plan.at(2).keep);
    CHECK(plan.at(2).reason == "held by caution, since this is not what the state file is about");
    CHECK(run::prune_local(place, catalog.get(), job, later).deleted.empty());
    pgbakd::holdings::take_over(place, *catalog, "ANY");
    CHECK(run::prune_local(place, catalog.get(), job, later).deleted.size() == 2);
}

TEST_CASE("what holds a set besides keeps it, and is said once") {
    const support::TemporaryDirectory directory;
    const repository::Repository place(directory / "repository");
    place.prepare();
    const auto catalog = pgbakd::catalog::Catalog::open(directory / "state.db", noon);
    std::vector<pgbakd::model::SetId> made;
    for (int i = 0; i < 4; ++i) made.push_back(add_set(place, noon + std::chrono::seconds(i)));
    pgbakd::catalog::Copy owed;
    owed.target = "nas";
    owed.id = made.at(0);
    owed.owed = true;
    catalog->put_copy(owed);
    const run::Holds holds{{made.at(0), {run::held_by_owed_copy("nas"), "caution"}}, {made.at(1), {"caution"}}};
    const auto plan =
        run::plan_local(place, catalog.get(), keep_the_newest(), noon + std::chrono::minutes(1), std::nullopt, holds);
    REQUIRE(plan.size() == 4);
    CHECK_FALSE(plan.at(1).keep);
    CHECK(plan.at(2).reason == "held by caution");
    CHECK(plan.at(3).reason == "held by a copy owed to nas; held by caution");
}
