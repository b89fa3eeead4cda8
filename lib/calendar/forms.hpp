// What every grammar of schedules yields. Each form has a file of its own: cron, calendar, and those for people.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "calendar/pattern.hpp"
#include "calendar/scanner.hpp"
#include "calendar/schedule.hpp"

namespace pgbakd::calendar {

struct ParsedSchedule {
    ScheduleKind kind = ScheduleKind::recurring;
    std::string canonical;
    std::string own_zone;  // canonical ends with it
    std::vector<std::string> warnings;
    std::optional<Pattern> pattern;  // absent: an event
};

// Each gets the text without blanks at its ends; `position` keeps columns right.
[[nodiscard]] base::Result<ParsedSchedule> parse_cron_form(Span text);      // five fields, or a macro
[[nodiscard]] base::Result<ParsedSchedule> parse_calendar_form(Span text);  // what follows the word `calendar`
[[nodiscard]] base::Result<ParsedSchedule> parse_human_form(Span text);     // `daily at …`, `on change`, …
// Whether `text` begins with a word of a human form.
[[nodiscard]] bool is_human_form(std::string_view text);
// A schedule that begins with `word`, the first of a human form or `calendar`.
[[nodiscard]] std::string_view example_of(std::string_view word);

// Whether `word` may be the name of a time zone where none belongs, and what to do with it: "say …" of the schedule
// without it.
[[nodiscard]] bool looks_like_zone(std::string_view word);
[[nodiscard]] std::string put_zone_apart(std::string_view schedule, std::string_view zone);

// What may have been meant by a text that is no schedule (human_repair.cpp): a calendar event without the word in front
// of it; or, as a hint with a whole schedule in it, one of the forms for people.
[[nodiscard]] std::optional<std::string> event_meant(std::string_view text);
[[nodiscard]] std::optional<std::string> human_fix(std::string_view text);

// Adds a warning if the lowest of `days` is one that some of `months` have not; `last_day` is how the last one is said.
void warn_of_short_months(std::vector<std::string>& warnings, Bits days, Bits months, std::string_view last_day);

// A list of more entries than this is refused (systemd's bound for the lists of a calendar event).
inline constexpr std::size_t max_list_entries = 240;

}  // namespace pgbakd::calendar
