#include "service/job_facts.hpp"

#include "support/catch.hpp"

using namespace pgbakd;
using namespace std::chrono_literals;

namespace {

constexpr base::Timestamp now{std::chrono::milliseconds(1'768'003'200'000)};

catalog::Copy copy_of(const std::string& target, const std::string& set, std::chrono::hours age) {
    catalog::Copy copy;
    copy.target = target;
    copy.id = {"shop", set};
    copy.started_at = now - age;
    copy.bytes = 100;
    copy.verified = model::Verification::decoded;
    return copy;
}

}  // namespace

TEST_CASE("copies are counted where they are, and the newest good one is known") {
    auto owed = copy_of("r2", "20260110_000000", 0h);
    owed.owed = true;
    owed.message = "away";
    auto foreign = copy_of("nas", "20260109_220000", 2h);
    foreign.host = "another";
    auto incomplete = copy_of("nas", "20260109_210000", 3h);
    incomplete.complete = false;
    auto corrupt = copy_of("nas", "20260109_200000", 4h);
    corrupt.verified = model::Verification::none;
    service::JobFacts facts;
    facts.newest_copy = service::NewestSet{};
    service::read_copies(facts, {owed, foreign, incomplete, corrupt, copy_of("nas", "20260108_000000", 48h),
                                 copy_of("r2", "20260109_000000", 24h)});
    CHECK(facts.targets.at("nas") == service::PlaceTotal{3, 300});
    CHECK(facts.targets.at("r2") == service::PlaceTotal{1, 100});
    REQUIRE(facts.newest_copy);
    CHECK(facts.newest_copy->set == "shop/20260109_000000");
    REQUIRE(facts.owed.size() == 1);
    CHECK(facts.owed[0].set == "shop/20260110_000000");
    CHECK(facts.owed[0].message == "away");
    service::read_copies(facts, {});
    CHECK_FALSE(facts.newest_copy);
    CHECK(facts.targets.empty());
    CHECK(facts.owed.empty());
}

TEST_CASE("the newest set is the later one of here and there; of two that are one, the one here") {
    service::JobFacts facts;
    CHECK_FALSE(facts.newest());
    facts.newest_copy = service::NewestSet{"shop/b", now, {}, 1, "decoded"};
    CHECK(facts.newest()->set == "shop/b");
    facts.newest_local = service::NewestSet{"shop/a", now - 1h, {}, 2, "decoded"};
    CHECK(facts.newest()->bytes == 1);
    facts.newest_local->started_at = now;
    CHECK(facts.newest()->bytes == 2);
}

TEST_CASE("facts of a job that did not change stay the same object, and a copy of all shares the others") {
    service::Facts facts({"a", "b"});
    CHECK_FALSE(facts.find("c"));
    service::JobFacts one;
    one.last_success = now;
    facts.put("a", one);
    auto later = facts;
    later.put("a", one);
    CHECK(later.of(0) == facts.of(0));
    one.last_success = now + 1h;
    later.put("a", one);
    CHECK(later.of(0) != facts.of(0));
    CHECK(later.of(1) == facts.of(1));
    CHECK(later.find("a")->last_success == now + 1h);
    CHECK(facts.find("a")->last_success == now);
}
