#include "run/preflight.hpp"
#include "run/prune.hpp"
#include "support/catch.hpp"

namespace model = pgbakd::model;
namespace run = pgbakd::run;
using Lines = std::vector<std::string>;

TEST_CASE("room is asked for 1.2 times the last set, or what the server says where there is none") {
    CHECK(run::space_needed(1000, 5000) == 1200);
    CHECK(run::space_needed(0, 5000) == 5000);
    CHECK(run::space_needed(0, 0) == 0);
}

TEST_CASE("a run that would leave too little room is refused with the figures") {
    constexpr std::uint64_t mib = 1U << 20U;
    CHECK(run::check_space("/r", 200 * mib, 100 * mib, 100 * mib).has_value());
    CHECK(run::check_space("/r", 0, 0, 0).has_value());
    const auto refused = run::check_space("/r", 199 * mib, 100 * mib, 100 * mib);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code() == pgbakd::base::ErrorCode::no_space);
    CHECK(refused.error().message() == "/r has 199 MiB free; this run may need 100 MiB and 100 MiB must stay free");
    // No sum of the two overflows into "enough".
    CHECK_FALSE(run::check_space("/r", 10, ~std::uint64_t{0}, 5).has_value());
}

TEST_CASE("databases that came and went are named") {
    CHECK(run::database_changes({"a", "b"}, {"a", "b"}) == Lines{});
    CHECK(run::database_changes({"a", "b"}, {"b", "c"}) ==
          Lines{"database \"c\" is new", "database \"a\" is gone from the server"});
}

TEST_CASE("a set that a later check found corrupt, or that cannot be read, is no candidate for good") {
    pgbakd::repository::StoredSet whole;
    whole.manifest.id = {"job", "20260101_000000"};
    model::Artifact artifact;
    artifact.verified = model::Verification::decoded;
    whole.manifest.artifacts.push_back(artifact);
    auto unreadable = whole;
    unreadable.manifest.id.set = "20260102_000000";
    unreadable.problem = "manifest.json: Permission denied";
    unreadable.unreadable = true;
    auto rotten = whole;
    rotten.manifest.id.set = "20260103_000000";
    pgbakd::catalog::SetState state;
    state.id = rotten.manifest.id;
    state.corrupt = true;
    auto marked = whole;
    marked.manifest.id.set = "20260104_000000";
    marked.corrupt = pgbakd::repository::Corruption{};
    const auto candidates = run::candidates({whole, unreadable, rotten, marked}, {{state}, {}});
    REQUIRE(candidates.size() == 4);
    CHECK(candidates[3].corrupt);  // the catalog knows nothing of it
    CHECK_FALSE(candidates[0].corrupt);
    CHECK(candidates[0].verified == model::Verification::decoded);
    CHECK(candidates[1].corrupt);
    // What cannot be looked at may be a milestone, or fine: it is held, whatever the rules say.
    CHECK(candidates[1].held_by == Lines{"caution, since it cannot be read now: manifest.json: Permission denied"});
    CHECK(candidates[2].held_by.empty());
    CHECK(candidates[2].corrupt);
}
