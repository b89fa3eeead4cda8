#include "calendar/calendar_form.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "calendar/value_list.hpp"

namespace pgbakd::calendar {
namespace {

std::string print_bits(Bits bits, const ComponentFacts& facts) {
    if (bits == bit_range(facts.lowest, facts.highest)) return "*";
    return print_values(values_of(bits), {"..", facts.width, facts.highest});
}

// Days from the end count downwards: ~07/1 is the last week.
std::string print_days_from_end(Bits bits) {
    auto values = values_of(bits);
    const bool single_step = values.size() >= 3 && values[1] - values[0] == values[2] - values[1];
    if (single_step) {
        const int step = values[1] - values[0];
        const bool whole = std::adjacent_find(values.begin(), values.end(),
                                              [step](int a, int b) { return b - a != step; }) == values.end();
        if (whole && values.front() <= step) return fmt::format("{:02}/{}", values.back(), step);
    }
    return print_values(values, {"..", day_facts.width, 0});
}

std::string print_weekdays(Bits weekdays) {
    std::string text;
    for (int day = 0; day < 7; ++day) {
        const auto is_in = [weekdays](int i) { return i < 7 && has_bit(weekdays, (i + 1) % 7); };
        const auto name = [](int i) { return calendar_weekdays[static_cast<std::size_t>((i + 1) % 7)]; };
        if (!is_in(day)) continue;
        int last = day;
        while (is_in(last + 1)) ++last;
        if (!text.empty()) text += ',';
        text += name(day);
        if (last - day >= 2) {
            text += fmt::format("..{}", name(last));
            day = last;
        }
    }
    return text;
}

std::string print(const CalendarForm& event) {
    std::string text = "calendar ";
    if (event.weekdays != all_weekdays) text += print_weekdays(event.weekdays) + ' ';
    const auto years =
        event.years.empty() ? std::string("*") : print_values(event.years, {"..", year_facts.width, YearSet::highest});
    text += fmt::format("{}-{}{}{}", years, print_bits(event.months, month_facts), event.from_end ? '~' : '-',
                        event.from_end ? print_days_from_end(event.days) : print_bits(event.days, day_facts));
    return text + fmt::format(" {}:{}:{}", print_bits(event.hours, hour_facts), print_bits(event.minutes, minute_facts),
                              print_bits(event.seconds, second_facts));
}

Pattern pattern_of(const CalendarForm& event) {
    Pattern pattern;
    for (const int year : event.years) pattern.years.add(year);
    pattern.months = event.months;
    pattern.times.add_product(event.hours, event.minutes);
    pattern.times.set_seconds(event.seconds);
    pattern.days = make_shapes([&event](int first_weekday, int length) {
        return days_on_weekdays(event.weekdays, first_weekday, length) &
               (event.from_end ? days_from_end(event.days, length) : event.days);
    });
    return pattern;
}

bool is_single(const CalendarForm& event) {
    const auto is_one = [](Bits bits) { return bits != 0 && (bits & (bits - 1)) == 0; };
    return event.years.size() == 1 && is_one(event.months) && is_one(event.days) && is_one(event.hours) &&
           is_one(event.minutes) && is_one(event.seconds);
}

}  // namespace

base::Result<ParsedSchedule> parse_calendar_form(Span text) {
    const auto event = read_calendar_form(text);
    if (!event) return event.error();
    ParsedSchedule result;
    result.own_zone = event->zone;
    result.kind = is_single(*event) ? ScheduleKind::once : ScheduleKind::recurring;
    result.canonical = print(*event);
    if (!result.own_zone.empty()) result.canonical += ' ' + result.own_zone;
    result.pattern = pattern_of(*event);
    result.warnings = event->warnings;
    if (result.kind == ScheduleKind::recurring && event->weekdays == all_weekdays && !event->from_end &&
        event->days != all_days)
        warn_of_short_months(result.warnings, event->days, event->months, "*-*~01");
    return result;
}

}  // namespace pgbakd::calendar
