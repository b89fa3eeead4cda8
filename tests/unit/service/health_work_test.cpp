#include "service/health_work.hpp"

#include "calendar/zone.hpp"
#include "support/catch.hpp"

using namespace pgbakd;
using namespace std::chrono_literals;

namespace {

constexpr base::Timestamp now{std::chrono::milliseconds(1'768'003'200'000)};  // 2026-01-10 00:00 UTC

}  // namespace

TEST_CASE("what changes while it is looked is for the next look") {
    service::HealthWork work;
    CHECK(work.empty());
    work.changed("shop");
    work.missed("crm", {3, false, "02:00"});
    work.changed("crm");
    CHECK(work.first() == "crm");
    const auto one = work.take("crm");
    CHECK(one.missed.at("crm").count == 3);
    CHECK(one.changed == std::set<std::string>{"crm"});
    CHECK(work.first() == "shop");
    CHECK(work.take("none").changed.empty());
    // While it is looked at all of them, the same happens again.
    const auto all = work.take(std::nullopt);
    CHECK(all.changed == std::set<std::string>{"shop"});
    CHECK(work.empty());
    work.changed("shop");
    work.missed("shop", {1, false, "03:00"});
    CHECK_FALSE(work.empty());
    CHECK(work.take("shop").missed.size() == 1);
    CHECK(work.empty());
}

TEST_CASE("a look that fails takes nothing with it") {
    service::HealthWork work;
    work.changed("shop");
    work.missed("shop", {3, true, "02:00"});
    auto taken = work.take(std::nullopt);
    work.missed("shop", {2, false, "04:00"});
    work.changed("crm");
    work.put_back(std::move(taken));
    const auto again = work.take(std::nullopt);
    CHECK(again.changed == std::set<std::string>{"crm", "shop"});
    const auto& fires = again.missed.at("shop");
    CHECK(fires.count == 5);
    CHECK(fires.more);
    CHECK(fires.latest == "04:00");
}

TEST_CASE("what was planned by a clock that was ahead does not hold when it is set back") {
    const auto schedule = calendar::Schedule::parse("every 6 hours").value();
    const auto zone = calendar::Zone::utc();
    service::HealthSchedule plan;
    CHECK_FALSE(plan.due());
    const auto ahead = now + 24h * 3650 + 1h;
    plan.plan(schedule, *zone, ahead);
    CHECK(plan.due() == ahead + 5h);
    CHECK_FALSE(plan.is_of_a_clock_ahead(ahead));
    CHECK_FALSE(plan.is_of_a_clock_ahead(ahead + 1h));
    CHECK(plan.is_of_a_clock_ahead(ahead - 1ms));
    CHECK(plan.is_of_a_clock_ahead(now));
    CHECK_FALSE(plan.is_due(now));
    plan.plan(schedule, *zone, now);
    CHECK(plan.due() == now + 6h);
    CHECK_FALSE(plan.is_of_a_clock_ahead(now));
    CHECK_FALSE(plan.is_due(now + 6h - 1ms));
    CHECK(plan.is_due(now + 6h));
}

TEST_CASE("a channel is told once a day of what was wrong already, and at once when it may have been mended") {
    service::NewsPace pace;
    CHECK(pace.quiet(now).empty());
    pace.told({"ops", "mail"}, now);
    CHECK(pace.quiet(now + 23h) == std::set<std::string>{"mail", "ops"});
    pace.told({"mail"}, now + 23h);
    CHECK(pace.quiet(now + 24h) == std::set<std::string>{"mail"});
    CHECK(pace.quiet(now - 1ms).empty());  // by a clock that was ahead
    pace.begin_anew();
    CHECK(pace.quiet(now + 24h).empty());
}
