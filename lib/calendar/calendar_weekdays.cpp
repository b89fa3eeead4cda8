// The weekdays of a calendar event: Mon..Fri, Sat,Sun.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "calendar/calendar_form.hpp"

namespace pgbakd::calendar {
namespace {

constexpr std::array<std::string_view, 7> weekday_names = {"sunday",   "monday", "tuesday", "wednesday",
                                                           "thursday", "friday", "saturday"};

std::string quoted(std::string_view text) {
    return fmt::format("\"{}\"", text);
}

// The weekday whose name, long or short, stands at the front.
struct WeekdayName {
    int weekday;
    std::size_t length;
};
std::optional<WeekdayName> weekday_at(std::string_view text) {
    const auto lower = base::to_lower(text.substr(0, 9));
    for (std::size_t i = 0; i < weekday_names.size(); ++i)
        for (const auto length : {weekday_names[i].size(), std::size_t{3}})
            if (lower.starts_with(weekday_names[i].substr(0, length))) return WeekdayName{static_cast<int>(i), length};
    return std::nullopt;
}

// Weekdays count from Monday here, so that Fri..Sun is a range.
int from_monday(int weekday) {
    return (weekday + 6) % 7;
}

// Fri..Mon as ranges that a week beginning on Monday has.
std::string wrapped_fix(int first, int last) {
    const auto part = [](int from, int to) {
        const auto name = [](int day) { return calendar_weekdays[static_cast<std::size_t>(day)]; };
        return from == to ? std::string(name(from)) : fmt::format("{}..{}", name(from), name(to));
    };
    return fmt::format("say {},{}", part(first, 0), part(1, last));
}

}  // namespace

bool names_weekday(std::string_view text) {
    return weekday_at(text).has_value();
}

base::Status read_calendar_weekdays(Scanner& scanner, Bits& result) {
    std::optional<int> range_start;
    Bits weekdays = 0;
    for (bool first = true;; first = false) {
        const auto here = scanner.rest();
        const auto found = weekday_at(here.text);
        if (!found && first) return {};
        if (!found)
            return problem(here.position,
                           here.text.empty()
                               ? "the end of the text"
                               : quoted(here.text.substr(0, std::max<std::size_t>(scanner.peek_word().text.size(), 1))),
                           "a weekday belongs here", "weekdays are Mon, Tue, Wed, Thu, Fri, Sat, Sun");
        for (std::size_t i = 0; i < found->length; ++i) scanner.take(scanner.peek());
        if (range_start) {
            if (from_monday(*range_start) > from_monday(found->weekday))
                return problem(here.position, quoted(here.text.substr(0, found->length)), "weeks begin on Monday here",
                               wrapped_fix(*range_start, found->weekday));
            for (int day = *range_start; day != found->weekday; day = (day + 1) % 7)
                weekdays |= Bits{1} << static_cast<unsigned>(day);
        }
        weekdays |= Bits{1} << static_cast<unsigned>(found->weekday);

        const bool was_range = range_start.has_value();
        range_start.reset();
        const char separator = scanner.peek();
        if ((separator == '.' && scanner.peek(1) == '.') || separator == '-') {
            if (was_range)
                return problem(scanner.position(), "a second end of the range", "", "separate ranges by commas");
            scanner.take(separator);
            if (separator == '.') scanner.take('.');
            range_start = found->weekday;
        } else if (separator == ',') {
            scanner.take(',');
        } else if (separator != ' ' && separator != '\0') {
            return problem(scanner.position(), quoted(scanner.rest().text.substr(0, 1)),
                           "a blank, a comma or \"..\" belongs behind a weekday", "say Mon..Fri or Mon,Thu");
        }
        if (scanner.peek() == ' ' || scanner.at_end()) {
            if (range_start) return problem(scanner.position(), "a range without its end", "", "say Mon..Fri");
            break;
        }
    }
    scanner.skip_blanks();
    result = weekdays;
    return {};
}

}  // namespace pgbakd::calendar
