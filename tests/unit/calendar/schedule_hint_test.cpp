// The fix that an error offers is itself right: what stands in quotes is a schedule, and what is said to be said
// instead of a part makes the whole right.
#include <algorithm>

#include "support.hpp"
#include "support/catch.hpp"

namespace pgbakd::calendar {
namespace {

using namespace testing;

std::vector<std::string> quoted_in(std::string_view hint) {
    std::vector<std::string> found;
    for (std::size_t begin = hint.find('"'); begin != std::string_view::npos;) {
        const auto end = hint.find('"', begin + 1);
        REQUIRE(end != std::string_view::npos);
        found.emplace_back(hint.substr(begin + 1, end - begin - 1));
        begin = hint.find('"', end + 1);
    }
    return found;
}

struct Offer {
    std::string text;
    std::vector<std::string> schedules;  // in quotes, in this order
};

TEST_CASE("the schedules that an error offers are those that were meant", "[calendar]") {
    const auto row = GENERATE(values<Offer>({
        // Seconds in front, as Quartz and Spring have them: "?" tells.
        {"0 0 2 * * ?", {"0 2 * * *"}},
        {"0 0 2 ? * *", {"0 2 * * *"}},
        {"0 0 2 ? * MON-FRI", {"0 2 * * MON-FRI"}},
        {"0 0 2 ? * MON#1", {"0 2 * * MON#1"}},
        {"0 0 2 * * ? *", {"0 2 * * *"}},
        {"0 0 2 * * ? 2026", {"0 2 * * *"}},
        {"0 0 2 * * ? 2026-2030", {"0 2 * * *"}},
        {"0 0 2 * * * *", {"0 2 * * *"}},
        {"0 0 2 1 * * root", {"0 2 * * *"}},  // nothing that is known: an example
        // By the name of the weekday as well: no crontab's user and command.
        {"0 0 2 ? * MON-FRI *", {"0 2 * * MON-FRI"}},
        {"0 0 2 * * MON-FRI *", {"0 2 * * MON-FRI"}},
        {"0 0 2 * * mon,thu 2026", {"0 2 * * mon,thu"}},
        {"0 0 2 ? * SUN 2026", {"0 2 * * SUN"}},
        {"0 0 2 1 1 sun *", {"0 2 1 1 sun"}},
        {"0 2 * * * sun /usr/bin/x", {"0 2 * * *"}},
        {"0 0 2 ? * root *", {"0 2 * * *"}},  // an example
        // "0/15" goes on to the end of the field there.
        {"0 0/15 * * * ?", {"*/15 * * * *"}},
        {"0 5/15 8-18 ? * MON-FRI *", {"5-59/15 8-18 * * MON-FRI"}},
        {"0 0 12 1/5 * ?", {"0 12 */5 * *"}},
        {"0 0 2 1/5,20 2/3 ?", {"0 2 */5,20 2-12/3 *"}},
        {"0 0/15 * * * *", {"*/15 * * * *", "0 */15 * * *"}},
        {"0 0 0/6 * * *", {"0 */6 * * *"}},
        {"0 0/6 * * * root /usr/bin/x", {"0 */6 * * *"}},
        {"0 0/0 * * * ?", {"0 2 * * *"}},   // an example
        {"0 60/5 * * * ?", {"0 2 * * *"}},  // an example
        // A year behind, as AWS has it.
        {"0 2 * * ? *", {"0 2 * * *"}},
        {"0 2 ? * MON-FRI 2026", {"0 2 * * MON-FRI"}},
        // Where weekdays have other numbers no number is taken over.
        {"0 0 2 ? * 2", {"0 2 * * mon"}},
        {"0 2 ? * 2-6 *", {"0 2 * * mon"}},
        // Which one is too many cannot be known: each reading is shown.
        {"0 2 * * * *", {"2 * * * *", "0 2 * * *"}},
        {"0 0 2 * * *", {"0 2 * * *", "0 0 2 * *"}},
        {"* * * * * *", {"* * * * *"}},
        {"0 2 * * * root", {"0 2 * * *"}},
        {"0 2 * * * 2026", {"0 2 * * *"}},
        // What a crontab has behind the fields, and what no schedule has.
        {"0 2 * * * Europe/Berlin", {"0 2 * * *"}},
        {"0 3 * * 1 # weekly", {"0 3 * * 1"}},
        {"0 3 * * 1 #weekly", {"0 3 * * 1"}},
        {"15 4 * * 0 root /usr/bin/x", {"15 4 * * 0"}},
        {"15 4 * * 0 root /usr/bin/x -y z", {"15 4 * * 0"}},
        {"0 3 * * 1 /usr/bin/x", {"0 3 * * 1"}},
        {"@daily Europe/Berlin", {"@daily"}},
        {"0 0 L-3 * *", {"calendar *-*~04 02:00"}},
        {"never", {"milestone"}},
        // The forms for people, nearly.
        {"daily at 02:00 Europe/Berlin", {"daily at 02:00"}},
        {"daily at 02:00 UTC", {"daily at 02:00"}},
        {"weekly on mon at 02:00 Asia/Tokyo", {"weekly on mon at 02:00"}},
        {"weekly on fri 04:00", {"weekly on fri at 04:00"}},
        {"weekly fri at 04:00", {"weekly on fri at 04:00"}},
        {"weekly on mon thu at 02:00", {"weekly on mon, thu at 02:00"}},
        {"weekly on mon and thu at 02:00", {"weekly on mon, thu at 02:00"}},
        {"Daily at 02:00 03:00", {"daily at 02:00, 03:00"}},
        {"daily at 02:00 and 14:00", {"daily at 02:00, 14:00"}},
        {"daily 02:00", {"daily at 02:00"}},
        {"hourly at :15 :45", {"hourly at :15, :45"}},
        {"hourly at 30", {"hourly at :30"}},
        {"monthly on 1 15 at 03:00", {"monthly on 1, 15 at 03:00"}},
        {"monthly on the 1st and 15th at 03:00", {"monthly on 1, 15 at 03:00"}},
        {"monthly on first sunday last friday 03:00", {"monthly on first sunday, last friday at 03:00"}},
        {"once at 2027-01-05T04:00", {"once at 2027-01-05 04:00"}},
        {"once on 2027-01-05 at 04:00", {"once at 2027-01-05 04:00"}},
        {"every 6 hours at 01:00", {"0 1,7,13,19 * * *"}},
        {"every 6 hours at 14:30", {"30 2,8,14,20 * * *"}},
        {"every 1 hour at 00:10", {"hourly at :10"}},
        {"every 24 hours at 02:00", {"daily at 02:00"}},
        {"every day at 02:00", {"daily at 02:00"}},
        {"every monday at 02:00", {"weekly on monday at 02:00"}},
        {"every weekday at 02:00", {"weekdays at 02:00"}},
        // Days are no step: the time that was given stays.
        {"every 1 day at 03:00", {"daily at 03:00"}},
        {"every 2 days", {"0 2 */2 * *"}},
        {"every 2 days at 03:00", {"0 3 */2 * *"}},
        {"every 3 days at 4:05", {"5 4 */3 * *"}},
        {"Every 3 Days at 03:30, 15:30", {"30 3,15 */3 * *"}},
        {"every 3 days at 03:30, 15:00", {"30 3 */3 * *"}},
        {"every 2 days at noon", {"0 12 */2 * *"}},
        {"every 2 days at sunrise", {"0 2 */2 * *"}},
        {"every 2 days at 03:00 UTC", {"0 3 */2 * *"}},
        {"every 2 days at 03:00:00", {"0 3 */2 * *"}},
        {"every 2 days 3pm", {"0 15 */2 * *"}},
        {"every other day at 03:00", {"0 3 */2 * *"}},
        {"every 2 days at 25:00", {"0 2 */2 * *"}},
        {"every 7 days", {"weekly on sunday at 02:00"}},
        {"every 7 days at 03:00", {"weekly on sunday at 03:00"}},
        {"every 14 days at 03:00, 15:30", {"monthly on 1, 15 at 03:00, 15:30"}},
        {"every 20 days at 03:00", {"monthly on 1 at 03:00"}},
        {"every 0 days at 03:00", {}},
        {"every 400 days", {"yearly on 01-01 at 02:00"}},
        {"every 1 day at 03:00 UTC", {"daily at 03:00"}},
        {"every 1 days at 03:00:00", {"daily at 03:00"}},
        {"every 1 day at 3am", {"daily at 03:00"}},
        {"every 1 day at 12:30am, 12pm", {"daily at 00:30, 12:00"}},
        {"every 1 day 03:00", {"daily at 03:00"}},
        {"every day at midnight", {"daily at 00:00"}},
        // Weeks, months and years are none either.
        {"every week on sunday at 03:00", {"weekly on sunday at 03:00"}},
        {"every 2 weeks on sunday at 03:00", {"monthly on first sunday, third sunday at 03:00"}},
        {"every 4 weeks", {"monthly on 1 at 02:00"}},
        {"every month on the 1st and 15th at 03:00", {"monthly on 1, 15 at 03:00"}},
        {"every 3 months", {"0 2 1 */3 *"}},
        {"every 3 months on 15 at 04:30", {"30 4 15 */3 *"}},
        {"every 12 months", {"yearly on 01-01 at 02:00"}},
        {"every 2 years", {"yearly on 01-01 at 02:00"}},
        {"every first sunday at 03:00", {"monthly on first sunday at 03:00"}},
        {"every weekday", {"weekdays at 02:00"}},
        // Steps that are too wide for their unit, or badly spelt.
        {"every 120 minutes", {"every 2 hours"}},
        {"every 1440 minutes", {"every 24 hours"}},
        {"every 2880 minutes", {"0 2 */2 * *"}},
        {"every 90 minutes", {}},
        {"every 48 hours", {"0 2 */2 * *"}},
        {"every 72 hours at 04:00", {"0 4 */3 * *"}},
        {"every 36 hours", {}},
        {"every 6h", {"every 6 hours"}},
        {"every 15min UTC", {"every 15 minutes"}},
        {"every hour", {"hourly"}},
        {"every hour at :15", {"hourly at :15"}},
        {"every hour at :15, :45", {"hourly at :15, :45"}},
        {"every 1 hour at 15", {"hourly at :15"}},
        {"every hour at :75", {"hourly at :15"}},
        {"every 2 hours at :15", {"15 0,2,4,6,8,10,12,14,16,18,20,22 * * *"}},
        {"every 12 hours at :15, :45", {"15,45 0,12 * * *"}},
        // An hour that there is not is none to go on from.
        {"every 6 hours at 25:00", {}},
        {"every 6 hours at 01:75", {}},
        {"every 6 hours at 1:5", {}},
        {"every 24 hours at 26:00", {}},
        // The word for how often stands behind: it is no zone.
        {"02:00 daily", {"daily at 02:00"}},
        {"02:00 weekly", {"weekly on sunday at 02:00"}},
        {"02:00 every", {"daily at 02:00"}},
        {"02:00 nightly", {"daily at 02:00"}},
        {"Sun 02:00 weekly", {"weekly on sun at 02:00"}},
        {"sun,wed 02:00 weekly", {"weekly on sun, wed at 02:00"}},
        {"mon..fri daily", {"weekdays at 02:00"}},
        {"mon-fri 02:00 daily", {"weekdays at 02:00"}},
        {"mon,wed,fri 02:00 daily", {"weekly on mon, wed, fri at 02:00"}},
        {"1 03:00 monthly", {"monthly on 1 at 03:00"}},
        {"12-31 23:00 yearly", {"yearly on 12-31 at 23:00"}},
        {"2026-12-01 02:00 once", {"once at 2026-12-01 02:00"}},
        {"01:00 13:00 twice-daily", {"twice-daily at 01:00, 13:00"}},
        {"02:00 every day", {"daily at 02:00"}},
        {"02:00 every monday", {"weekly on monday at 02:00"}},
        {"03:00 on the 1st of every month", {"monthly on 1 at 03:00"}},
        {"first sunday of every month at 03:00", {"monthly on first sunday at 03:00"}},
        {"calendar 02:00 daily", {"daily at 02:00"}},
        {"calendar mon..fri daily", {"weekdays at 02:00"}},
        {"0 2 * * * daily", {"0 2 * * *"}},
        {"02:00 hourly", {"0 2 * * *"}},  // an example
        {"daily 0 2 * * *", {}},          // an example
        {"Mon 02:00 Europe/Berlin", {"calendar Mon 02:00 Europe/Berlin"}},
        {"02:00 UTC", {"calendar 02:00 UTC"}},
        {"Mon 02:00 europe/berlin", {"weekly on mon at 02:00"}},
        {"Mon 02:00 CEST", {}},
        {"02:00 CEST", {"0 2 * * *"}},  // an example
        // Of a calendar event that would be 02:00 and 02:14.
        {"02:00,14:00", {"daily at 02:00, 14:00"}},
        // Without the word for how often, or with another one for it.
        {"2 am", {"daily at 02:00"}},
        {"on sunday at 03:00", {"weekly on sunday at 03:00"}},
        {"sundays at 03:00", {"weekly on sunday at 03:00"}},
        {"mon to fri at 02:00", {"weekdays at 02:00"}},
        {"weekly on fri-mon at 02:00", {"weekly on fri, sat, sun, mon at 02:00"}},
        {"each day at 02:00", {"daily at 02:00"}},
        {"everyday at 02:00", {"daily at 02:00"}},
        {"every weekend at 03:00", {"weekly on saturday, sunday at 03:00"}},
        {"nightly at 23:30", {"daily at 23:30"}},
        {"dayly 02:00", {"daily at 02:00"}},
        // Days that have times of their own.
        {"every monday at 03:00 and tuesday at 04:00", {"weekly on monday at 03:00"}},
        {"monday 3am, tuesday 4am", {"weekly on monday at 03:00"}},
        {"weekly at 03:00 on monday, 04:00 on tuesday", {"weekly on monday at 03:00"}},
        {"weekly on monday at 03:00, 04:00 and tuesday", {"weekly on monday at 03:00"}},
        {"weekly at 03:00 on monday and thursday", {"weekly on monday, thursday at 03:00"}},
        {"weekdays at 02:00 and saturday at 04:00", {"weekdays at 02:00"}},
        {"monthly on first sunday at 03:00 and last friday at 04:00", {"monthly on first sunday at 03:00"}},
        {"yearly on 12-31 at 23:00 and 06-30 at 23:00", {"yearly on 12-31 at 23:00"}},
        {"once at 2026-12-01 02:00 and 2026-12-02 03:00", {"once at 2026-12-01 02:00"}},
        {"every second sunday at 03:00", {}},
        {"every month on 1 at 3 and 15:00", {"monthly on 1 at 02:00"}},
        // Half days, as people write them.
        {"every day at 2:30 pm", {"daily at 14:30"}},
        {"every 1 day at 3:30 pm", {"daily at 15:30"}},
        {"every 1 day at 3 PM", {"daily at 15:00"}},
        {"every day at 2:30 a.m., 2:30 p.m.", {"daily at 02:30, 14:30"}},
        {"every day at 12 noon", {"daily at 12:00"}},
        {"every sunday at 2:30p.m.", {"weekly on sunday at 14:30"}},
        {"every 6 hours at 2:30 pm", {"30 2,8,14,20 * * *"}},
        {"daily at 2:30 pm", {"daily at 14:30"}},
        {"every day at 14:30 pm", {"daily at 02:00"}},
        {"every day from 03:00 to 06:00", {"daily at 02:00"}},
        // Nothing that could have been meant: examples, and said to be such.
        {"daily at 02:00 sharp", {}},
        {"daily at 02:00 except sunday", {}},
        {"weekly at 02:00", {}},
        {"once at 2027-01-05", {}},
        {"every 5 hours at 01:00", {}},
        {"every 15 minutes at 02:00", {}},
        {"weekends at 03:30", {"weekly on saturday, sunday at 03:30"}},
        {"weekend", {"weekly on saturday, sunday at 02:00"}},
        {"monday at 02:00", {"weekly on monday at 02:00"}},
        {"biweekly on monday at 02:00", {}},
        {"dail at 02:30", {"daily at 02:30"}},
        {"dail", {"daily at 02:00"}},
        {"calendar weekdays at 02:00", {"weekdays at 02:00"}},
        {"calendar weekdays", {}},
        {"once at 2026-12-01 02:00:30", {"calendar 2026-12-01 02:00:30"}},
        {"daily at 02:00:30", {"calendar *-*-* 02:00:30"}},
        {"weekdays at 02:00:30", {"calendar Mon..Fri *-*-* 02:00:30"}},
        {"weekly on mon, thu at 02:00:30", {"calendar mon,thu *-*-* 02:00:30"}},
        {"yearly on 12-31 at 02:00:30", {"calendar *-12-31 02:00:30"}},
        {"monthly on first sunday at 02:00:30", {}},
        {"daily at 02:00:30, 14:00", {}},
        {"daily at 02:00:99", {}},
    }));
    INFO(row.text);
    const auto parsed = Schedule::parse(row.text);
    REQUIRE_FALSE(parsed);
    INFO(parsed.error().hint());
    CHECK(quoted_in(parsed.error().hint()) == row.schedules);
    for (const auto& schedule : row.schedules) CHECK(Schedule::parse(schedule));
}

TEST_CASE("a hint says where a zone belongs, and an example is said to be one", "[calendar]") {
    struct Row {
        std::string text, hint;
    };
    const auto row = GENERATE(values<Row>({
        {"daily at 02:00 Europe/Berlin", "say \"daily at 02:00\", and put the zone into timezone: Europe/Berlin"},
        {"0 2 * * * Europe/Berlin", "say \"0 2 * * *\", and put the zone into timezone: Europe/Berlin"},
        {"15 4 * * 0 root /usr/bin/x", "say \"15 4 * * 0\": a crontab's user and command do not belong here"},
        {"daily at 02:00 sharp", "say daily at 02:00, for example"},
        {"weekly at 02:00", "say weekly on sunday at 02:00, for example"},
        {"monthly on 15", "say monthly on 1 at 03:00, for example"},
        {"daily at 2am", "say \"daily at 02:00\""},
        {"daily at 2", "say 02:00 or 14:30, for example"},
        {"every 15 minutes at 02:00", "say every 15 minutes, for example"},
        {"0 0 2 ? * SUN 2026", "did you mean \"0 2 * * SUN\"? cron has no years: that is due in each"},
        {"every 2 days at 03:00", "\"0 3 */2 * *\" steps through the days of each month, for example"},
        {"every 2 days at 03:00 UTC",
         "\"0 3 */2 * *\" steps through the days of each month, for example; put the zone into timezone: UTC"},
        {"every 3 days at 01:00, 13:30",
         "\"0 1 */3 * *\" steps through the days of each month, for example; times in different minutes need a job "
         "each"},
        {"every 1 day at 03:00 UTC", "say \"daily at 03:00\", and put the zone into timezone: UTC"},
        {"every 1 day at 03:00:30", "say \"daily at 02:00\", for example"},
        {"every 1 day on monday at 03:00", "say \"daily at 03:00\", for example"},
        {"every day", "say \"daily at 02:00\", for example"},
        {"every 14 days at 03:00", "say \"monthly on 1, 15 at 03:00\", for example"},
        {"every 20 days at 03:00", "say \"monthly on 1 at 03:00\", for example"},
        {"every 0 days", "say daily at 02:00, for example"},
        {"every month at 03:00", "say \"monthly on 1 at 03:00\", for example"},
        {"every 3 months", "\"0 2 1 */3 *\" steps through the months of each year, for example"},
        {"every 48 hours", "\"0 2 */2 * *\" steps through the days of each month, for example"},
        {"every 7 days at 03:00", "say \"weekly on sunday at 03:00\", for example"},
        {"every 2 weeks", "say \"monthly on 1, 15 at 02:00\", for example"},
        {"every 30 seconds", "say every 6 hours or every 15 minutes, for example"},
        {"milestone x", "say milestone"},
        // A day or a time that nobody named is an example.
        {"02:00 daily", "say \"daily at 02:00\""},
        {"02:00 every", "say \"daily at 02:00\", for example"},
        {"02:00 weekly", "say \"weekly on sunday at 02:00\", for example"},
        {"02:00 monthly", "say \"monthly on 1 at 02:00\", for example"},
        {"mon..fri daily", "say \"weekdays at 02:00\", for example"},
        {"sun 02:00 daily", "say \"weekly on sun at 02:00\", for example"},
        {"nightly at 11:30", "say \"daily at 02:00\", for example"},
        {"every night at 11:30", "say \"daily at 02:00\", for example"},
        {"02:00 daily Europe/Berlin", "say \"daily at 02:00\", and put the zone into timezone: Europe/Berlin"},
        {"Mon 02:00 europe/berlin", "say \"weekly on mon at 02:00\", and put the zone into timezone: europe/berlin"},
        {"calendar 02:00 daily", "say \"daily at 02:00\""},
        {"02:00 on", "say \"0 2 * * *\" for each day at 02:00, for example"},
        // Days behind a time may have it or another one.
        {"every monday at 03:00 and tuesday at 04:00",
         "days with times of their own need a job each: say \"weekly on monday at 03:00\", for example"},
        {"every monday at 03:00 and tuesday at 04:00 UTC",
         "days with times of their own need a job each: say \"weekly on monday at 03:00\", for example; put the zone "
         "into timezone: UTC"},
        {"weekly on monday at 03:00 and tuesday at 04:00",
         "days with times of their own need a job each: say \"weekly on monday at 03:00\", for example"},
        {"monthly on 1 at 03:00 and 15 at 04:00",
         "days with times of their own need a job each: say \"monthly on 1 at 03:00\", for example"},
        {"daily at 02:00 and monday at 04:00",
         "days with times of their own need a job each: say \"daily at 02:00\", for example"},
        {"every day at 2:30 pm", "say \"daily at 14:30\""},
        {"every day at 2:30 in the afternoon", "say \"daily at 02:00\", for example"},
        {"every 2 days at 2:30 in the afternoon", "\"0 2 */2 * *\" steps through the days of each month, for example"},
        {"on the 1st at 02:00", "say \"monthly on 1 at 02:00\", for example"},
        {"last friday at 3 am", "say \"monthly on last friday at 03:00\", for example"},
        {"on request", "say on change"},
        {"every hour at 1:15 pm", "say \"hourly at :15\", for example"},
        {"every 1 hour at 00:10", "say \"hourly at :10\""},
        {"every 6 hours at 25:00", "hours go from 0 to 23"},
        {"every 12 hours 26:00 UTC", "hours go from 0 to 23"},
        {"every 6 hours at 24:00", "midnight is 00:00"},
        {"every 6 hours at 01:75", "minutes go from 0 to 59"},
    }));
    INFO(row.text);
    const auto parsed = Schedule::parse(row.text);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().hint() == row.hint);
}

struct Repair {
    std::string text, wrong, say, meaning;  // `text` with what is said instead of `wrong` means this
};

TEST_CASE("what an error says instead of a part makes the schedule what was meant", "[calendar]") {
    const auto row = GENERATE(values<Repair>({
        {"0 22-2 * * *", "22-2", "22-23,0-2", "0 0,1,2,22,23 * * *"},
        {"0 22-6/2 * * *", "22-6/2", "22,0-6/2", "0 0,2,4,6,22 * * *"},
        {"0 23-6/2 * * *", "23-6/2", "23,1-6/2", "0 1,3,5,23 * * *"},
        {"0 20-1/9 * * *", "20-1/9", "20", "0 20 * * *"},
        {"0 0 * * 7-1", "7-1", "0-1", "0 0 * * 0,1"},
        {"0 0 * * 7-2", "7-2", "0-2", "0 0 * * 0,1,2"},
        {"0 0 * * sun-0", "", "", ""},
        {"0 0 * * 7-0", "7-0", "0", "0 0 * * 0"},
        {"0 0 * * 7/2", "7/2", "0-6/2", "0 0 * * 0,2,4,6"},
        {"0 0 * * 4-0/3", "4-0/3", "4-7/3", "0 0 * * 0,4"},
        {"0 0 * * fri-mon/2", "fri-mon/2", "5,0", "0 0 * * 0,5"},
        {"calendar *-*-* 22..2:00", "22..2", "22..23,0..2", "calendar *-*-* 00,01,02,22,23:00"},
        {"calendar *-*-* 22..6/2:00", "22..6/2", "22,0..6/2", "calendar *-*-* 00,02,04,06,22:00"},
        {"calendar 11..2-01 02:00", "11..2", "11..12,1..2", "calendar *-1,2,11,12-01 02:00"},
        {"calendar *-*-28..3 02:00", "28..3", "28..31,1..3", "calendar *-*-1,2,3,28,29,30,31 02:00"},
        {"calendar 2030..2026-01-01 02:00", "2030..2026", "2026..2030", "calendar 2026..2030-01-01 02:00"},
        {"calendar *-*~7..2/2 02:00", "7..2/2", "3..7/2", "calendar *-*~3,5,7 02:00"},
        {"calendar Fri..Mon", "Fri..Mon", "Fri..Sun,Mon", "calendar Mon,Fri,Sat,Sun"},
    }));
    INFO(row.text);
    const auto parsed = Schedule::parse(row.text);
    if (row.wrong.empty()) {
        CHECK(parsed);
        return;
    }
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().hint() == "say " + row.say);
    auto repaired = row.text;
    repaired.replace(repaired.find(row.wrong), row.wrong.size(), row.say);
    INFO(repaired);
    CHECK(schedule(repaired) == schedule(row.meaning));
}

TEST_CASE("the column of a zone that a schedule names is told", "[calendar]") {
    CHECK(own_zone_column("calendar *-*-* 02:00:00 Europe/Berlni") == 25);
    CHECK(own_zone_column("  calendar daily\tutc \n") == 18);
}

TEST_CASE("a fire beyond the search is told from none", "[calendar]") {
    const auto now = at("2026-01-01T00:00:00Z");
    const auto place = Zone::utc();
    const auto& utc = *place;
    CHECK(schedule("once at 2199-06-01 02:00").next_ever(now, utc) == at("2199-06-01T02:00:00Z"));
    CHECK(schedule("calendar 1990,2199-01-01").next_ever(now, utc) == at("2199-01-01T00:00:00Z"));
    CHECK(schedule("daily at 02:00").next_ever(now, utc) == at("2026-01-01T02:00:00Z"));
    CHECK_FALSE(schedule("once at 2025-06-01 02:00").next_ever(now, utc));
    CHECK_FALSE(schedule("0 0 30 2 *").next_ever(now, utc));
    CHECK_FALSE(schedule("on change").next_ever(now, utc));
    CHECK_FALSE(schedule("daily at 02:00").next_ever(base::Instant::max(), utc));
}

}  // namespace
}  // namespace pgbakd::calendar
