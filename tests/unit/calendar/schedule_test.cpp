// Fires that the table of vectors does not have: bounds, events, gaps between fires, schedules that never fire.
#include "support.hpp"
#include "support/catch.hpp"

namespace pgbakd::calendar {
namespace {

using namespace testing;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

TEST_CASE("events have no fires", "[calendar]") {
    for (const auto* text : {"on change", "milestone"}) {
        const auto event = schedule(text);
        CHECK_FALSE(event.next(at("2026-01-01T00:00:00Z"), *Zone::utc()));
        CHECK_FALSE(event.latest(at("2026-01-01T00:00:00Z"), at("2027-01-01T00:00:00Z"), *Zone::utc()));
        CHECK_FALSE(event.gaps(at("2026-01-01T00:00:00Z"), *Zone::utc()));
        CHECK_FALSE(event.never_fires(*Zone::utc()));
    }
}

TEST_CASE("schedules that can never fire are known", "[calendar]") {
    struct Row {
        std::string text;
        bool never;
    };
    const auto row = GENERATE(values<Row>({{"0 0 30 2 *", true},
                                           {"0 0 31 2,4,6,9,11 *", true},
                                           {"0 0 31 2 1", false},  // each monday of February
                                           {"0 0 31 2 */7", true},
                                           {"0 0 29 2 */7", false},
                                           {"calendar *-02-30", true},
                                           {"calendar Mon 2026-01-01", true},
                                           {"calendar Thu 2026-01-01", false},
                                           {"calendar 2190-01-01", false},
                                           {"calendar Sun *-02-29", false},
                                           {"calendar 2025,2026,2027-02-29", true},
                                           {"once at 1970-01-01 00:00", false},
                                           {"daily at 00:00", false}}));
    INFO(row.text);
    CHECK(schedule(row.text).never_fires(*Zone::utc()) == row.never);
    CHECK(schedule(row.text).never_fires(*zone("Europe/Berlin")) == row.never);
}

TEST_CASE("a day that a zone left out has no fire", "[calendar]") {
    const auto lost = schedule("once at 2011-12-30 12:00");
    CHECK(lost.never_fires(*zone("Pacific/Apia")));
    CHECK_FALSE(lost.never_fires(*zone("Pacific/Auckland")));
}

TEST_CASE("the search ends after 100 years", "[calendar]") {
    const auto far = schedule("calendar 2150-01-01");
    CHECK_FALSE(far.next(at("2026-01-01T00:00:00Z"), *Zone::utc()));
    CHECK(far.next(at("2060-01-01T00:00:00Z"), *Zone::utc()) == at("2150-01-01T00:00:00Z"));
    CHECK(schedule("calendar Sun *-02-29").next(at("2088-03-01T00:00:00Z"), *Zone::utc()) ==
          at("2128-02-29T00:00:00Z"));
}

TEST_CASE("instants at the ends of their range are safe", "[calendar]") {
    const auto daily = schedule("daily at 02:30");
    for (const auto& name : {"Europe/Berlin", "Pacific/Apia", "UTC"}) {
        const auto place = zone(name);
        CHECK(daily.next(base::Instant::min(), *place) == std::nullopt);
        CHECK_FALSE(daily.next(base::Instant::max(), *place));
        CHECK_FALSE(daily.latest(base::Instant::max(), base::Instant::max(), *place));
        CHECK_FALSE(daily.latest(base::Instant::min(), base::Instant::min(), *place));
        const auto last = daily.latest(base::Instant::min(), base::Instant::max(), *place);
        REQUIRE(last);
        CHECK(format_rfc3339_utc(*last).starts_with("9999-12-"));
    }
}

TEST_CASE("a periodic schedule fires again when the clock goes back over the end of its only day", "[calendar]") {
    // In 2018 Brazil went back from 24:00 to 23:00 of 17 February.
    const auto place = zone("America/Sao_Paulo");
    const auto last = schedule("calendar 2018-02-17 *:30");
    CHECK(last.next(at("2018-02-18T01:00:00Z"), *place) == at("2018-02-18T01:30:00Z"));
    CHECK(last.next(at("2018-02-18T01:30:00Z"), *place) == at("2018-02-18T02:30:00Z"));
    CHECK_FALSE(last.next(at("2018-02-18T02:30:00Z"), *place));
    // And looking back from the repeated hour finds the first pass of a day that has not come again.
    const auto next_day = schedule("calendar 2018-02-17 *:59:59");
    CHECK(next_day.latest(at("2018-02-17T00:00:00Z"), at("2018-02-18T02:10:00Z"), *place) ==
          at("2018-02-18T01:59:59Z"));
}

TEST_CASE("the latest fire is found across a long absence", "[calendar]") {
    const auto place = zone("Europe/Berlin");
    const auto from = at("1990-01-01T00:00:00Z"), now = at("2026-03-29T06:00:00Z");
    CHECK(schedule("daily at 02:30").latest(from, now, *place) == at("2026-03-29T01:00:00Z"));
    CHECK(schedule("* * * * *").latest(from, now, *place) == now);
    CHECK(schedule("yearly on 02-29 at 03:00").latest(from, now, *place) == at("2024-02-29T02:00:00Z"));
    CHECK_FALSE(schedule("yearly on 02-29 at 03:00").latest(at("2024-02-29T02:00:00Z"), now, *place));
    CHECK_FALSE(schedule("0 0 30 2 *").latest(from, now, *place));
}

TEST_CASE("the shortest and the longest time between fires", "[calendar]") {
    struct Row {
        std::string text, zone;
        seconds shortest, longest;
    };
    const auto row = GENERATE(values<Row>({
        {"daily at 02:00", "UTC", hours{24}, hours{24}},
        {"daily at 04:00", "Europe/Berlin", hours{23}, hours{25}},
        {"daily at 02:30", "Europe/Berlin", minutes{23 * 60 + 30}, hours{25}},
        {"twice-daily at 01:00, 12:00", "UTC", hours{11}, hours{13}},
        {"* * * * *", "Europe/Berlin", minutes{1}, minutes{1}},
        {"*/7 * * * *", "UTC", minutes{4}, minutes{7}},
        {"every 2 hours", "Europe/Berlin", hours{1}, hours{3}},
        {"every 1 hour", "Europe/Berlin", hours{1}, hours{1}},
        {"weekdays at 12:00", "UTC", hours{24}, hours{72}},
        {"* * 1 * *", "UTC", minutes{1}, hours{30 * 24} + minutes{1}},
        {"calendar *-*-* *:*:*", "UTC", seconds{1}, seconds{1}},
        {"monthly on 1 at 00:00", "UTC", hours{28 * 24}, hours{31 * 24}},
        {"yearly on 12-31 at 23:00", "UTC", hours{365 * 24}, hours{365 * 24}},
        {"yearly on 02-29 at 00:00", "UTC", hours{1461 * 24}, hours{1461 * 24}},
    }));
    INFO(row.text << " in " << row.zone);
    const auto gaps = schedule(row.text).gaps(at("2026-01-10T00:00:00Z"), *zone(row.zone));
    REQUIRE(gaps);
    CHECK(gaps->shortest == row.shortest);
    CHECK(gaps->longest == row.longest);
}

TEST_CASE("fewer than two fires have no time between them", "[calendar]") {
    CHECK_FALSE(schedule("once at 2026-12-01 02:00").gaps(at("2026-01-01T00:00:00Z"), *Zone::utc()));
    CHECK_FALSE(schedule("0 0 30 2 *").gaps(at("2026-01-01T00:00:00Z"), *Zone::utc()));
    const auto rest = schedule("calendar 2026-01-01 *:00").gaps(at("2026-01-01T20:00:00Z"), *Zone::utc());
    REQUIRE(rest);
    CHECK(rest->longest == hours{1});
}

}  // namespace
}  // namespace pgbakd::calendar
