// systemd's calendar events (systemd.time(7), src/shared/calendarspec.c) but for fractions of a second: what systemd
// takes is taken and means the same days and times. Clock changes follow our own rules.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "calendar/forms.hpp"

namespace pgbakd::calendar {

inline constexpr std::array<std::string_view, 7> calendar_weekdays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};

struct ComponentFacts {
    std::string_view name;
    int lowest, highest, width;
};
inline constexpr ComponentFacts year_facts{"year", YearSet::lowest, YearSet::highest, 4};
inline constexpr ComponentFacts month_facts{"month", 1, 12, 2};
inline constexpr ComponentFacts day_facts{"day", 1, 31, 2};
// Every month has its 28th day from the end.
inline constexpr ComponentFacts day_from_end_facts{"day from the end of the month", 1, 28, 2};
inline constexpr ComponentFacts hour_facts{"hour", 0, 23, 2};
inline constexpr ComponentFacts minute_facts{"minute", 0, 59, 2};
inline constexpr ComponentFacts second_facts{"second", 0, 59, 2};

struct CalendarForm {
    Bits weekdays = all_weekdays;
    std::vector<int> years;  // empty: all
    Bits months = all_months;
    Bits days = all_days;
    bool from_end = false;  // days count from the end of the month
    Bits hours = 1, minutes = 1, seconds = 1;
    std::string zone;  // named behind the time; may be empty
    std::vector<std::string> warnings{};
};

// Weekdays at the front, if there are any: else `weekdays` stays, and the scanner where it is.
[[nodiscard]] base::Status read_calendar_weekdays(Scanner& scanner, Bits& weekdays);
// Whether a weekday's name, long or short, stands at the front.
[[nodiscard]] bool names_weekday(std::string_view text);
// What follows the word `calendar`.
[[nodiscard]] base::Result<CalendarForm> read_calendar_form(Span text);

}  // namespace pgbakd::calendar
