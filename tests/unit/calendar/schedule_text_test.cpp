// Texts of schedules: what they are read as, and what is said of them.
#include "support.hpp"
#include "support/catch.hpp"

namespace pgbakd::calendar {
namespace {

using namespace testing;

struct Reading {
    std::string text, canonical;
};

TEST_CASE("a schedule prints as a canonical text of its own form", "[calendar]") {
    const auto row = GENERATE(values<Reading>({
        {"daily at 0:00", "daily at 00:00"},
        {"  DAILY   at 2:05 , 14:30  ", "daily at 02:05, 14:30"},
        {"daily at 14:30, 02:05, 14:30", "daily at 02:05, 14:30"},
        {"weekdays at 00:00, 12:00", "weekdays at 00:00, 12:00"},
        {"twice-daily at 13:00, 1:00", "twice-daily at 01:00, 13:00"},
        {"weekly on Sunday at 02:00", "weekly on sunday at 02:00"},
        {"weekly on thu, mon at 02:00", "weekly on mon, thu at 02:00"},
        {"monthly on 1 at 03:00", "monthly on 1 at 03:00"},
        {"monthly on last-day, 15, 01 at 03:00", "monthly on 1, 15, last-day at 03:00"},
        {"monthly on first sun at 03:00", "monthly on first sunday at 03:00"},
        {"monthly on last friday, third monday at 3:00", "monthly on third monday, last friday at 03:00"},
        {"yearly on 12-31 at 23:00", "yearly on 12-31 at 23:00"},
        {"hourly", "hourly"},
        {"hourly at :00", "hourly"},
        {"hourly at :45, :15", "hourly at :15, :45"},
        {"every 6 Hours", "every 6 hours"},
        {"every 1 hour", "every 1 hour"},
        {"every 15 minutes", "every 15 minutes"},
        {"once at 2026-12-01 2:00", "once at 2026-12-01 02:00"},
        {"on  change", "on change"},
        {"Milestone", "milestone"},
        {"0 17,5 * * *", "0 5,17 * * *"},
        {"\t0\t2  *\t* * ", "0 2 * * *"},
        {"@daily", "0 0 * * *"},
        {"@Midnight", "0 0 * * *"},
        {"@hourly", "0 * * * *"},
        {"@weekly", "0 0 * * 0"},
        {"@monthly", "0 0 1 * *"},
        {"@yearly", "0 0 1 1 *"},
        {"@annually", "0 0 1 1 *"},
        {"0,15,30,45 * * * *", "*/15 * * * *"},
        {"5-59/15 0-23 * jan,JUL mon-fri", "5-50/15 * * 1,7 1-5"},
        {"0 0 * * 7", "0 0 * * 0"},
        {"0 0 * * 5-7", "0 0 * * 0,5,6"},
        {"0 0 */2 * 1", "0 0 */2 * 1"},
        {"0 0 1-31/2 * 1", "0 0 1-31/2 * 1"},
        {"0 0 1-31 * 1", "0 0 1-31 * 1"},
        {"0 0 */2,2 * 1", "0 0 */2,2 * 1"},
        {"0 0 */31 * 1", "0 0 */31 * 1"},
        {"0 0 L * *", "0 0 L * *"},
        {"0 0 15,l * *", "0 0 15,L * *"},
        {"0 0 * * friL,mon#1", "0 0 * * 1#1,5L"},
        {"calendar daily", "calendar *-*-* 00:00:00"},
        {"calendar minutely", "calendar *-*-* *:*:00"},
        {"calendar hourly", "calendar *-*-* *:00:00"},
        {"calendar weekly", "calendar Mon *-*-* 00:00:00"},
        {"calendar monthly", "calendar *-*-01 00:00:00"},
        {"calendar quarterly", "calendar *-01/3-01 00:00:00"},
        {"calendar semiannually", "calendar *-01,07-01 00:00:00"},
        {"calendar yearly", "calendar *-01-01 00:00:00"},
        {"calendar sun *-*-* 2:00", "calendar Sun *-*-* 02:00:00"},
        {"calendar Mon..Fri", "calendar Mon..Fri *-*-* 00:00:00"},
        {"calendar Sat,Mon-wed 10:00", "calendar Mon..Wed,Sat *-*-* 10:00:00"},
        {"calendar 00/2:0/15", "calendar *-*-* 00/2:00/15:00"},
        {"calendar 2,1..3,5:00", "calendar *-*-* 01..03,05:00:00"},
        // An end that steps do not meet, as systemd reads it.
        {"calendar 0..24/5:00", "calendar *-*-* 00/5:00:00"},
        {"calendar 10..12/5:00", "calendar *-*-* 10:00:00"},
        {"calendar *-11~02..30/12", "calendar *-11~26/12 00:00:00"},
        {"calendar Mon, 10:00", "calendar Mon *-*-* 10:00:00"},
        {"calendar @ +1700000000", "calendar 2023-11-14 22:13:20 UTC"},
        {"calendar 10..10/5:00", "calendar *-*-* 10:00:00"},
        {"calendar 05-03 08:05:40", "calendar *-05-03 08:05:40"},
        {"calendar 26-1-1", "calendar 2026-01-01 00:00:00"},
        {"calendar *-02~03", "calendar *-02~03 00:00:00"},
        {"calendar Mon *-05~07/1", "calendar Mon *-05~07/1 00:00:00"},
        {"calendar *-*~1..6/2", "calendar *-*~05/2 00:00:00"},
        {"calendar 2027..2030-01-01 Asia/Tokyo", "calendar 2027..2030-01-01 00:00:00 Asia/Tokyo"},
        {"calendar daily utc", "calendar *-*-* 00:00:00 UTC"},
        {"calendar @1700000000", "calendar 2023-11-14 22:13:20 UTC"},
    }));
    INFO(row.text);
    const auto parsed = schedule(row.text);
    CHECK(parsed.canonical() == row.canonical);
    CHECK(schedule(parsed.canonical()) == parsed);
}

TEST_CASE("what may surprise is said", "[calendar]") {
    struct Row {
        std::string text, warning;  // empty: none
    };
    const auto row = GENERATE(values<Row>({
        {"0 0 1 * 1", "day of month and weekday are both given"},
        {"0 0 */2 * 1", "*/2 in the day of month field starts again on the first of each month"},
        {"0 0 */5 * *", "*/5 in the day of month field starts again on the first of each month"},
        {"0 0 */1 * *", ""},
        {"0 0 2-30/2 1 *", ""},
        {"0 0 31 * *", "some months have no day 31"},
        {"0 0 28,31 * *", ""},
        {"0 0 31 12 *", ""},
        {"0 0 31 1,3,5 *", ""},
        {"0 0 30 4 *", ""},
        {"0 0 29 4 *", ""},
        {"0 0 31 1-4 *", "some months have no day 31"},
        {"0 0 30 1,2 *", "some months have no day 30"},
        {"0 0 30 2 *", ""},  // never: an error, not a warning
        {"0 0 29 2 *", "29 February comes in leap years only"},
        {"0 0 29 * *", "February has a day 29 in leap years only"},
        {"monthly on 1, 31 at 03:00", "some months have no day 31"},
        {"*/7 * * * *", "*/7 in the minute field starts again at 0 each hour: the last step is 4, not 7"},
        {"0 */5 * * *", "*/5 in the hour field starts again at 0 each day: the last step is 4, not 5"},
        {"*/15 */6 * * *", ""},
        // Whatever the canonical text makes of it.
        {"*/45 * * * *", "*/45 in the minute field starts again at 0 each hour: the last step is 15, not 45"},
        {"*/31 * * * *", "*/31 in the minute field starts again at 0"},
        {"0 */13 * * *", "*/13 in the hour field starts again at 0 each day: the last step is 11, not 13"},
        {"*/7,3 * * * *", "*/7 in the minute field starts again at 0"},
        {"0,45 * * * *", ""},
        {"calendar *:0/45", "0/45 in the minute starts again at 0 each hour: the last step is 15, not 45"},
        {"calendar *:5/25", "5/25 in the minute starts again at 5 each hour: the last step is 10, not 25"},
        {"calendar 0/13:00", "0/13 in the hour starts again at 0 each day: the last step is 11, not 13"},
        {"calendar *:5/15", ""},
        {"calendar 00/6:00", ""},
        {"calendar *:0,25,50", ""},
        {"calendar *:0..50/25", ""},
        {"calendar *-*-31 02:00", "some months have no day 31: it is not due in them; say *-*~01 for the last day"},
        {"calendar *-*-29 02:00", "February has a day 29 in leap years only"},
        {"calendar *-02-29 02:00", "29 February comes in leap years only"},
        {"calendar *-01,03-31 02:00", ""},
        {"calendar *-*~01 02:00", ""},
        {"calendar Mon *-*-31 02:00", ""},
        {"calendar 2028-02-29 02:00", ""},
        {"monthly on 31 at 03:00", "some months have no day 31"},
        {"monthly on 31, last-day at 03:00", ""},
        {"monthly on fifth sunday at 03:00", "some months have no fifth sunday"},
        {"yearly on 02-29 at 03:00", "29 February"},
        {"yearly on 03-31 at 03:00", ""},
        {"daily at 02:00", ""},
    }));
    INFO(row.text);
    const auto warnings = schedule(row.text).warnings();
    REQUIRE(warnings.size() == (row.warning.empty() ? 0 : 1));
    if (!warnings.empty()) CHECK(warnings[0].substr(0, row.warning.size()) == row.warning);
}

TEST_CASE("a schedule knows its kind, its zone and whether it keeps its pace", "[calendar]") {
    CHECK(schedule("daily at 02:00").kind() == ScheduleKind::recurring);
    CHECK(schedule("once at 2026-12-01 02:00").kind() == ScheduleKind::once);
    CHECK(schedule("calendar 2026-12-01 02:00").kind() == ScheduleKind::once);
    CHECK(schedule("calendar 2026-12-01 02,03:00").kind() == ScheduleKind::recurring);
    CHECK(schedule("on change").kind() == ScheduleKind::on_change);
    CHECK(schedule("milestone").kind() == ScheduleKind::milestone);
    CHECK_FALSE(schedule("milestone").is_timed());
    CHECK(schedule("hourly").is_timed());
    CHECK(schedule("calendar daily Europe/Berlin").own_zone() == "Europe/Berlin");
    CHECK(schedule("daily at 02:00").own_zone().empty());
    CHECK(schedule("every 1 hour").is_periodic());
    CHECK(schedule("0 0-23 * * *").is_periodic());
    CHECK_FALSE(schedule("every 2 hours").is_periodic());
    CHECK_FALSE(schedule("on change").is_periodic());
    CHECK(schedule("0 2 * * *") != schedule("0 3 * * *"));
}

}  // namespace
}  // namespace pgbakd::calendar
