// Texts that are no schedules: what is wrong, at which column, and which fix is offered.
#include "base/text.hpp"
#include "support.hpp"
#include "support/catch.hpp"

namespace pgbakd::calendar {
namespace {

using namespace testing;

struct Refusal {
    std::string text, message, hint;  // how they begin
};

TEST_CASE("a text that is no schedule is refused with its column and the fix", "[calendar]") {
    const std::string five = "cron takes five (minute hour day month weekday)";
    const auto row = GENERATE_COPY(values<Refusal>({
        {"", "no schedule at column 1", "say daily at 02:00"},
        {"   ", "no schedule at column 1", "say daily at 02:00"},
        {"0 0 2 * * *", "six fields at column 11: " + five, "did you mean \"0 2 * * *\""},
        {"0 2 * * * 2026", "six fields at column 11: " + five, "did you mean \"0 2 * * *\"?"},
        {"0 2 * * * root", "six fields at column 11: " + five, "did you mean \"0 2 * * *\"?"},
        {"0 0 2 * * * *", "seven fields at column 11: " + five, "did you mean"},
        {"* * * *", "four fields at column 8: " + five, "say \"0 2 * * *\""},
        {"*-*-* 02:00:00", "two fields at column 15", "did you mean \"calendar *-*-* 02:00:00\"?"},
        {"Mon 02:00", "\"Mon\" at column 1", "did you mean \"calendar Mon 02:00\"?"},
        {"60 * * * *", "minute 60 at column 1: must be 0 to 59", ""},
        {"0 24 * * *", "hour 24 at column 3: must be 0 to 23", "midnight is hour 0"},
        {"0 0 0 * *", "day of month 0 at column 5: must be 1 to 31", ""},
        {"0 0 1 13 *", "month 13 at column 7: must be 1 to 12", ""},
        {"0 0 * * 8", "weekday 8 at column 9: must be 0 to 7", ""},
        {"0 0 * foo *", "month \"foo\" at column 7", "names are jan, feb"},
        {"0 0 * * sunday", "\"sunday\" at column 9", "say sun"},
        {"monthly on first weekday at 03:00", "\"weekday\" at column 18: not a weekday", "weekdays are sunday, monday"},
        {"weekly on holiday at 03:00", "\"holiday\" at column 11: not a weekday", "weekdays are sunday, monday"},
        {"on 12-31 at 23:00", "\"12-31\" at column 4: the word \"change\" belongs here",
         "say yearly on 12-31 at 02:00"},
        {"5/15 * * * *", "\"5/15\" at column 1: a step needs a range", "say 5-59/15"},
        {"0 22-2 * * *", "\"22-2\" at column 3: a range goes upwards", "say 22-23,0-2"},
        {"0 0 * * fri-mon", "\"fri-mon\" at column 9", "say 5-6,0-1"},
        {"0 0 * * sat-sun", "\"sat-sun\" at column 9", "say 6-7"},
        {"0 0 ? * *", "\"?\" at column 5", "say *"},
        {"0 0 15W * *", "\"15W\" at column 5", "say a day (15)"},
        {"0 0 LW * *", "\"LW\" at column 5", "say a day (15)"},
        {"0 0 * * L", "\"L\" at column 9", "the last day of the month is L"},
        {"0 L * * *", "\"L\" at column 3", "the last day of the month is L"},
        {"0 0 1#2 * *", "\"1#2\" at column 5", "the third friday"},
        {"0 0 * * 1#6", "\"6\" at column 11", "say 1#1 to 1#5"},
        {"*/0 * * * *", "a step of 0 at column 3", "say * for every minute"},
        {"*/x * * * *", "\"x\" at column 3", "say */2"},
        {"1,,2 * * * *", "an empty entry in the minute field at column 3", "remove the comma"},
        {"1.5 * * * *", "minute \"1.5\" at column 1", ""},
        {"-5 * * * *", "no minute at column 1", ""},
        {"9999999 * * * *", "minute \"9999999\" at column 1", ""},
        {"@reboot", "\"@reboot\" at column 1: it names no time", "give a time"},
        {"@fortnightly", "\"@fortnightly\" at column 1: no such macro", "macros are @hourly"},
        {"daily", "the end of the text at column 6", "say daily at 02:00"},
        {"daily 02:00", "\"02:00\" at column 7: the word \"at\" belongs here", "say \"daily at 02:00\""},
        {"daily at 24:00", "\"24:00\" at column 10: hours are 0 to 23", "midnight is 00:00"},
        {"daily at 12:60", "\"12:60\" at column 10: minutes are 0 to 59", ""},
        {"daily at 2am", "\"2am\" at column 10: a time is hour:minute", "say \"daily at 02:00\""},
        {"daily at 2", "\"2\" at column 10: a time is hour:minute", "say 02:00 or 14:30"},
        {"daily at 2:5", "\"2:5\" at column 10: a time is hour:minute", ""},
        {"daily at 002:05", "\"002:05\" at column 10", ""},
        {"daily at 02:00:30", "\"02:00:30\" at column 10", "leave the seconds out"},
        {"daily at 02:00,", "the end of the text at column 16", ""},
        {"daily at ,02:00", "\",\" at column 10: a time is hour:minute", "say \"daily at 02:00\""},
        {"0 0 * * #2", "\"#2\" at column 9: a weekday belongs before \"#\"", "the third friday of the month is 5#3"},
        {"/15 * * * *", "\"/15\" at column 1: a step needs a range", "say */15"},
        {"calendar *-*-* 02:00:00 ../../etc/passwd",
         "\"../../etc/passwd\" at column 25: neither a time nor the name of a time zone", "time zones have names"},
        {"calendar *-*-* 02:00:00 Europe/Ber.lin",
         "\"Europe/Ber.lin\" at column 25: neither a time nor the name of a time zone", "time zones have names"},
        {"daily at 02:00 sharp", "\"sharp\" at column 16: the schedule is complete before it", ""},
        {"twice-daily at 01:00", "\"at 01:00\" at column 13: twice-daily has two different times", "name a second"},
        {"weekly at 02:00", "\"at\" at column 8: weekly needs a day", "say weekly on sunday at 02:00"},
        {"weekly on funday at 02:00", "\"funday\" at column 11: not a weekday", "did you mean sunday?"},
        {"monthly at 02:00", "\"at\" at column 9: monthly needs a day", ""},
        {"monthly on 32 at 02:00", "\"32\" at column 12: a day of the month is 1 to 31", ""},
        {"monthly on last day at 02:00", "\"day\" at column 17: the last day is one word",
         "say \"monthly on last-day at 02:00\""},
        {"monthly on last day", "\"day\" at column 17: the last day is one word", "say last-day"},
        {"yearly on 02-30 at 02:00", "\"02-30\" at column 11: there is no such day", ""},
        {"yearly on 1-1 at 02:00", "\"1-1\" at column 11: the date of a year is month-day", ""},
        {"hourly at 15", "\"15\" at column 11: the minute of each hour is :00 to :59", "say \"hourly at :15\""},
        {"every 7 hours", "every 7 hours at column 7: steps start at midnight and must divide 24", "use 1, 2, 3, 4"},
        {"every 0 minutes", "every 0 minutes at column 7", "use 1, 2"},
        {"every day", "\"day\" at column 7", "say \"daily at 02:00\""},
        {"every 0 days at 03:00", "\"0\" at column 7: the number must be at least 1", "say daily at 02:00"},
        {"every 6 hours at 25:00", "\"25:00\" at column 18: hours are 0 to 23", "hours go from 0 to 23"},
        {"every 6 hours 24:00", "\"24:00\" at column 15: hours are 0 to 23", "midnight is 00:00"},
        {"every 6 hours at 01:75", "\"01:75\" at column 18: minutes are 0 to 59", "minutes go from 0 to 59"},
        {"every 6 hours at 1:5", "\"1:5\" at column 18: a time is hour:minute", ""},
        {"every 6 hours at dawn", "\"at dawn\" at column 15: the schedule is complete before it", ""},
        {"every 1 days", "\"days\" at column 9", "say \"daily at 02:00\""},
        {"every 2 days", "\"days\" at column 9", "\"0 2 */2 * *\" steps through the days of each month"},
        {"once at 2026-02-29 02:00", "\"2026-02-29\" at column 9: there is no such day", ""},
        {"once at 1969-12-31 02:00", "\"1969-12-31\" at column 9: years are 1970 to 2199", ""},
        {"on request", "\"request\" at column 4: the word \"change\" belongs here", "say on change"},
        {"milestone x", "\"x\" at column 11", ""},
        {"dail at 02:00", "\"dail\" at column 1: not the beginning of a schedule", "did you mean \"daily at 02:00\"?"},
        {"calendar", "no calendar event at column 9", ""},
        {"calendar 02:00 daily", "\"daily\" at column 16: neither a time nor the name of a time zone",
         "say \"daily at 02:00\""},
        {"02:00 daily", "two fields at column 12: " + five, "say \"daily at 02:00\""},
        {"calendar dayly", "\"dayly\" at column 10", "did you mean \"calendar daily\"?"},
        {"calendar 10:00:0.5", "a fraction at column 17: times are whole seconds", "leave the fraction out"},
        {"calendar */2:00", "\"*/\" at column 10: in calendar a step needs a start", "say 00/2"},
        {"calendar 0/0:00", "a step of 0 at column 12", ""},
        {"calendar *-*-* 02:00:00/0.25", "a fraction at column 25: times are whole seconds",
         "a step is a whole number, 1 or more"},
        {"calendar *-*-* 02:00:00/1.5", "a fraction at column 25: times are whole seconds", "leave the fraction out"},
        {"calendar 25:00", "hour 25 at column 10: must be 0 to 23", ""},
        {"calendar 20/5:00", "\"20/5\" at column 10: the step leads out of the range at once", "say 20"},
        {"calendar 5..2:00", "\"5..2\" at column 10: a range goes upwards", "say 5..23,0..2"},
        {"calendar *-*-01..05..07", "a second end of the range at column 20", "separate ranges by commas"},
        {"0 0 L-3 * *", "\"L-3\" at column 5: cron here has no days before the last one", "say \"calendar *-*~04"},
        {"0 0 L-40 * *", "\"L-40\" at column 5", "say L for the last day"},
        {"0 0 * * 1-5L", "\"1-5L\" at column 9: \"L\" stands behind one weekday", "say 1L,2L,3L,4L,5L for"},
        {"0 0 * * mon-xL", "\"mon-xL\" at column 9", "the last friday of the month is 5L"},
        {"calendar Fri..Mon", "\"Mon\" at column 15: weeks begin on Monday here", "say Fri..Sun,Mon"},
        {"calendar 0..25/5:00", "hour 25 at column 10: must be 0 to 23", ""},
        {"calendar Mon,,Tue", "\",\" at column 14: a weekday belongs here", "weekdays are Mon"},
        {"calendar Mon....Wed", "\"..Wed\" at column 15", ""},
        {"calendar Mon..", "a range without its end at column 15", ""},
        {"calendar 2026", "hour 2026 at column 10", "dates are year-month-day"},
        {"calendar 1969-01-01", "year 1969 at column 10: must be 1970 to 2199", ""},
        {"calendar *-*~31", "day from the end of the month 31 at column 14: must be 1 to 28", ""},
        {"calendar @x", "\"@x\" at column 10", ""},
    }));
    INFO(row.text);
    const auto parsed = Schedule::parse(row.text);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().code() == base::ErrorCode::invalid_argument);
    CHECK(parsed.error().message().substr(0, row.message.size()) == row.message);
    CHECK(parsed.error().hint().substr(0, row.hint.size()) == row.hint);
}

const std::vector<std::string>& one_of_each() {
    static const std::vector<std::string> texts = {
        "daily at 02:05, 14:30",
        "weekdays at 00:00",
        "twice-daily at 13:00, 1:00",
        "weekly on thu, mon at 02:00",
        "monthly on last-day, 15 at 03:00",
        "monthly on last friday, third monday at 3:00",
        "yearly on 12-31 at 23:00",
        "hourly at :45, :15",
        "every 6 hours",
        "every 15 minutes",
        "once at 2026-12-01 2:00",
        "on change",
        "milestone",
        "0 17,5 * jan,JUL mon-fri",
        "5-59/15 0-23 */2,L * friL,mon#1",
        "@daily",
        "calendar quarterly",
        "calendar Sat,Mon-wed 10:00",
        "calendar Mon 2027..2030-05~07/1 00/2:0/15:30 Asia/Tokyo",
        "calendar @1700000000",
    };
    return texts;
}

// The column that an error names, or 0.
std::size_t column_of(const base::Error& error) {
    constexpr std::string_view words = " at column ";
    const auto found = error.message().rfind(words);
    return found == std::string::npos ? 0 : std::strtoul(error.message().c_str() + found + words.size(), nullptr, 10);
}

// What stands in quotes in its hint are schedules.
bool offers_schedules(const base::Error& error) {
    const auto parts = base::split(error.hint(), '"');
    for (std::size_t i = 1; i < parts.size(); i += 2)
        if (i + 1 == parts.size() || !Schedule::parse(parts[i])) return false;
    return true;
}

TEST_CASE("every error names a column of the text and a fix, and what is no error reads back", "[calendar]") {
    int refused = 0, taken = 0;
    for (const auto& one : one_of_each())
        for (std::size_t place = 0; place <= one.size(); ++place)
            for (const std::string slip :
                 {"", "x", " ", "*", "/", "-", ",", ":", "..", "0", "99", "9999999", "#", "L", "@", "~", "\n"})
                for (const std::size_t replaced : {std::size_t{0}, std::size_t{1}}) {
                    auto text = one;
                    text.replace(place, replaced, slip);
                    const auto parsed = Schedule::parse(text);
                    const auto again = parsed ? Schedule::parse(parsed->canonical()) : parsed;
                    const bool good = parsed ? again && *again == *parsed
                                             : offers_schedules(parsed.error()) && column_of(parsed.error()) >= 1 &&
                                                   column_of(parsed.error()) <= text.size() + 1 &&
                                                   !parsed.error().hint().empty();
                    if (!good)
                        FAIL("\"" << text << "\": "
                                  << (parsed ? parsed->canonical()
                                             : parsed.error().message() + " / " + parsed.error().hint()));
                    ++(parsed ? taken : refused);
                }
    CHECK(refused > 10'000);
    CHECK(taken > 1'000);
}

TEST_CASE("whatever is asked for every so often, what is offered instead is a schedule", "[calendar]") {
    int refused = 0;
    for (const std::string count :
         {"", "0", "1", "2", "3", "7", "13", "14", "15", "28", "60", "364", "999999", "other"})
        for (const std::string unit :
             {"m", "minutes", "hour", "day", "days", "weeks", "month", "years", "friday", "x", ""})
            for (const std::string tail : {"",
                                           "at 03:00",
                                           "at 3:00:00 UTC",
                                           "03:00, 04:30",
                                           "at 12am and noon",
                                           "at :15",
                                           "at :15, :75",
                                           "at 25:00",
                                           "on monday",
                                           "on mon, thu at 03:00",
                                           "on the 1st at 3pm",
                                           "on 15 at 04:00",
                                           "on 31, last-day",
                                           "on first sunday at 03:00",
                                           "at dawn",
                                           "at",
                                           "on",
                                           ",",
                                           ":",
                                           "am"}) {
                const auto text = "every " + count + " " + unit + " " + tail;
                const auto parsed = Schedule::parse(text);
                if (parsed) continue;
                ++refused;
                if (!offers_schedules(parsed.error()) || parsed.error().hint().empty())
                    FAIL(text << ": " << parsed.error().hint());
            }
    CHECK(refused > 2'000);
}

TEST_CASE("in whatever order days, times and the word for how often stand, what is offered is a schedule",
          "[calendar]") {
    int refused = 0;
    const std::vector<std::string> words = {"daily",   "nightly", "weekly",        "every",    "every day",
                                            "hourly",  "on",      "1st",           "last-day", "first sunday",
                                            "sun",     "mon-fri", "02:00",         "02:00:30", "25:00",
                                            "2:30 pm", "noon",    "Europe/Berlin", "CET",      "calendar"};
    for (const auto& first : words)
        for (const auto& second : words)
            for (const auto& third : words) {
                const auto text = first + " " + second + " " + third;
                const auto parsed = Schedule::parse(text);
                if (parsed) continue;
                ++refused;
                const auto& hint = parsed.error().hint();
                if (!offers_schedules(parsed.error()) || hint.empty()) FAIL(text << ": " << hint);
                // A zone stands in what is offered only if it looks like one.
                if (hint.find("CET\"") != std::string::npos || hint.find("daily\"") != std::string::npos)
                    FAIL(text << ": " << hint);
            }
    CHECK(refused > 7'000);
}

TEST_CASE("what would be too long written out is refused too", "[calendar]") {
    // Every second or third year with two digits, and as uneven lists of everything else.
    std::string years,
        times = "0,2,3,5,7,8,10,12,13,15,17,18,20,22,23,25,27,28,30,32,33,35,37,38,40,42,43,45,47,48,50,52,53,55,57,58";
    for (int year = 0, step = 1; year < 100; year += step, step = step == 1 ? 2 : 1)
        years += (years.empty() ? "" : ",") + std::to_string(year);
    for (int year = 2071, step = 1; year < 2199; year += step, step = step == 1 ? 2 : 1)
        years += "," + std::to_string(year);
    const auto text = "calendar " + years + "-1,2,4,6,7,9-1,2,4,6,7,9,11,12,14,16 *:" + times + ":" + times;
    REQUIRE(text.size() <= Schedule::max_text_bytes);
    const auto parsed = Schedule::parse(text);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().message().starts_with("a schedule that written out has "));
    CHECK(column_of(parsed.error()) == text.size() + 1);
}

TEST_CASE("a schedule longer than 1024 bytes and a list of more than 240 entries are refused", "[calendar]") {
    std::string list = "0";
    for (int i = 0; i < 240; ++i) list += ",0";
    CHECK_FALSE(Schedule::parse(list + " * * * *"));
    CHECK(Schedule::parse(list.substr(0, 2 * 240 - 1) + " * * * *"));
    CHECK_FALSE(Schedule::parse("calendar " + list + ":00"));
    CHECK(Schedule::parse(std::string(1024 - 9, ' ') + "0 2 * * *"));
    CHECK_FALSE(Schedule::parse(std::string(1025 - 9, ' ') + "0 2 * * *"));
}

}  // namespace
}  // namespace pgbakd::calendar
