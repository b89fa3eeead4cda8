#include "service/job_facts.hpp"

#include "support/catch.hpp"
#include "support/deep_directory.hpp"
#include "support/temporary_directory.hpp"

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
    service::read_copies(facts,
                         {owed, foreign, incomplete, corrupt, copy_of("nas", "20260108_000000", 48h),
                          copy_of("r2", "20260109_000000", 24h)},
                         now);
    CHECK(facts.targets.at("nas") == service::PlaceTotal{3, 300});
    CHECK(facts.targets.at("r2") == service::PlaceTotal{1, 100});
    REQUIRE(facts.newest_copy);
    CHECK(facts.newest_copy->set == "shop/20260109_000000");
    REQUIRE(facts.owed.size() == 1);
    CHECK(facts.owed[0].set == "shop/20260110_000000");
    CHECK(facts.owed[0].message == "away");
    service::read_copies(facts, {}, now);
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

TEST_CASE("what a clock ahead has dated is the newest only where there is nothing else") {
    service::JobFacts facts;
    const auto ahead = copy_of("r2", "20261101_000000", -7000h);
    service::read_copies(facts, {ahead}, now);
    CHECK(facts.newest()->set == "shop/20261101_000000");
    service::read_copies(facts, {ahead, copy_of("r2", "20260108_000000", 48h)}, now);
    CHECK(facts.newest()->set == "shop/20260108_000000");
    service::read_copies(facts, {ahead}, now);
    facts.newest_local = service::NewestSet{"shop/here", now - 20h, {}, 2, "decoded"};
    CHECK(facts.newest()->set == "shop/here");
    facts.newest_local = service::NewestSet{"shop/here", now + 9000h, {}, 2, "decoded", true};
    service::read_copies(facts, {copy_of("r2", "20260108_000000", 48h)}, now);
    CHECK(facts.newest()->set == "shop/20260108_000000");
}

TEST_CASE("how long a set took that is on targets alone is known of its run") {
    const support::TemporaryDirectory directory;
    const auto catalog = catalog::Catalog::open(directory / "state.db", now);
    model::RunReport report;
    report.run = base::RunId::make(now - 3h, {});
    report.job = "shop";
    report.outcome = model::Outcome::running;
    report.started_at = now - 3h;
    catalog->begin_run(report);
    auto copy = copy_of("r2", "20260109_210000", 3h);
    copy.run = report.run;
    service::JobFacts facts;
    const auto duration_of = [&](const std::vector<catalog::Copy>& copies) {
        service::read_copies(facts, copies, now);
        service::read_duration(facts, *catalog);
        return facts.newest_copy->duration;
    };
    CHECK(duration_of({copy}) == 0h);  // it goes on
    report.outcome = model::Outcome::success;
    report.finished_at = now - 1h;
    catalog->finish_run(report);
    CHECK(duration_of({copy}) == 2h);
    CHECK(duration_of({copy, copy_of("r2", "20260108_000000", 48h)}) == 2h);
    CHECK(duration_of({copy, copy_of("r2", "20260110_000000", 0h)}) == 0h);  // of no run that is known
    // What lies here says so itself.
    facts.newest_local = service::NewestSet{"shop/here", now, {}, 2, "decoded"};
    CHECK(duration_of({copy}) == 0h);
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

TEST_CASE("a job whose sets cannot be looked at is told by what the catalog knows, and hides no other") {
    const support::TemporaryDirectory directory;
    const auto catalog = catalog::Catalog::open(directory / "state.db", now);
    const std::string blind = "blind";
    model::RunReport report;
    report.run = base::RunId::make(now - 3h, {});
    report.job = blind;
    report.set = blind + "/20260109_210000";
    report.outcome = model::Outcome::success;
    report.started_at = now - 3h;
    report.finished_at = now - 2h;
    report.size_bytes = 100;
    catalog->finish_run(report);
    const repository::Repository repository(support::deep_directory(directory.path()));
    service::Facts facts({blind, "a"});
    const auto read = [&](const std::string& job) {
        service::JobFacts fresh;
        service::read_disk(fresh, job, service::Depth::newest, repository, {}, now);
        if (!fresh.problem.empty()) service::read_made(fresh, job, *catalog, now);
        facts.put(job, fresh);
        return fresh;
    };
    CHECK(service::changed_on_disk(facts, repository) == std::vector{blind});
    const auto known = read(blind);
    CHECK_FALSE(known.problem.empty());
    CHECK_FALSE(known.local);
    REQUIRE(known.newest_local);
    CHECK(known.newest_local->set == report.set);
    CHECK(known.newest_local->duration == 1h);
    CHECK(read("a").problem.empty());
    // Nothing new: it is not read over and over.
    CHECK(service::changed_on_disk(facts, repository).empty());
    // One that was blind and is no more is read again.
    auto blinded = *facts.find("a");
    blinded.problem = "opening it: Permission denied";
    facts.put("a", blinded);
    CHECK(service::changed_on_disk(facts, repository) == std::vector<std::string>{"a"});
}
