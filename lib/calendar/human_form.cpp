#include "calendar/human_form.hpp"

#include <fmt/format.h>

#include "base/text.hpp"
#include "calendar/value_list.hpp"

namespace pgbakd::calendar {
namespace {

using Shape = HumanForm::Shape;

std::string print_times(const HumanForm& form) {
    std::string text = " at ";
    for (const int time : form.times) {
        if (text.size() > 4) text += ", ";
        text += form.shape == Shape::hourly ? fmt::format(":{:02}", time)
                                            : fmt::format("{:02}:{:02}", time / 60, time % 60);
    }
    return text;
}

std::string print_weekdays(Bits weekdays) {
    std::vector<std::string> names;
    // The week of people who keep backups begins on monday.
    for (const int day : {1, 2, 3, 4, 5, 6, 0})
        if (has_bit(weekdays, day)) names.emplace_back(human_weekdays[static_cast<std::size_t>(day)].substr(0, 3));
    if (names.size() == 1) return std::string(human_weekdays[static_cast<std::size_t>(values_of(weekdays).front())]);
    return base::join(names, ", ");
}

std::string print_month_days(const HumanForm& form) {
    std::vector<std::string> parts;
    for (const int day : values_of(form.month_days)) parts.push_back(fmt::format("{}", day));
    if (form.last_day) parts.emplace_back("last-day");
    for (std::size_t nth = 1; nth <= human_ordinals.size(); ++nth) {
        const auto& weekdays = nth == human_ordinals.size() ? form.last_weekdays : form.nth_weekdays[nth];
        for (const int day : values_of(weekdays))
            parts.push_back(fmt::format("{} {}", human_ordinals[nth % human_ordinals.size()],
                                        human_weekdays[static_cast<std::size_t>(day)]));
    }
    return base::join(parts, ", ");
}

std::string print(const HumanForm& form) {
    const auto month = static_cast<unsigned>(form.date.month()), day = static_cast<unsigned>(form.date.day());
    switch (form.shape) {
        case Shape::daily: return "daily" + print_times(form);
        case Shape::weekdays: return "weekdays" + print_times(form);
        case Shape::twice_daily: return "twice-daily" + print_times(form);
        case Shape::weekly: return "weekly on " + print_weekdays(form.weekdays) + print_times(form);
        case Shape::monthly: return "monthly on " + print_month_days(form) + print_times(form);
        case Shape::yearly: return fmt::format("yearly on {:02}-{:02}", month, day) + print_times(form);
        case Shape::hourly: return form.times == std::set<int>{0} ? "hourly" : "hourly" + print_times(form);
        case Shape::every_hours: return fmt::format("every {} hour{}", form.every, form.every == 1 ? "" : "s");
        case Shape::every_minutes: return fmt::format("every {} minute{}", form.every, form.every == 1 ? "" : "s");
        case Shape::once:
            return fmt::format("once{}{:04}-{:02}-{:02} {:02}:{:02}", " at ", static_cast<int>(form.date.year()), month,
                               day, *form.times.begin() / 60, *form.times.begin() % 60);
        case Shape::on_change: return "on change";
        case Shape::milestone: return "milestone";
    }
    return {};
}

Bits bit(unsigned value) {
    return Bits{1} << value;
}

void set_dates(Pattern& pattern, const HumanForm& form) {
    const auto weekdays = [](Bits wanted) {
        return make_shapes([wanted](int first, int length) { return days_on_weekdays(wanted, first, length); });
    };
    const auto day = bit(static_cast<unsigned>(form.date.day()));
    switch (form.shape) {
        case Shape::weekdays: pattern.days = weekdays(bit_range(1, 5)); return;
        case Shape::weekly: pattern.days = weekdays(form.weekdays); return;
        case Shape::monthly:
            pattern.days = make_shapes([&form](int first, int length) {
                auto days = form.month_days | (form.last_day ? days_from_end(bit(1), length) : 0) |
                            days_on_last_weekdays(form.last_weekdays, first, length);
                for (int nth = 1; nth <= 5; ++nth)
                    days |= days_on_nth_weekdays(form.nth_weekdays[static_cast<std::size_t>(nth)], nth, first, length);
                return days;
            });
            return;
        case Shape::once:
        case Shape::yearly:
            if (form.shape == Shape::once) pattern.years.add(static_cast<int>(form.date.year()));
            pattern.months = bit(static_cast<unsigned>(form.date.month()));
            pattern.days = make_shapes([day](int, int) { return day; });
            return;
        case Shape::daily:
        case Shape::twice_daily:
        case Shape::hourly:
        case Shape::every_hours:
        case Shape::every_minutes:
        case Shape::on_change:
        case Shape::milestone: pattern.days = make_shapes([](int, int) { return all_days; }); return;
    }
}

std::optional<Pattern> pattern_of(const HumanForm& form) {
    if (form.shape == Shape::on_change || form.shape == Shape::milestone) return std::nullopt;
    Pattern pattern;
    set_dates(pattern, form);
    if (form.shape == Shape::every_hours)
        pattern.times.add_product(bit_range(0, 23, form.every), 1);
    else if (form.shape == Shape::every_minutes)
        pattern.times.add_product(all_hours, bit_range(0, 59, form.every));
    else if (form.shape == Shape::hourly)
        for (const int minute : form.times) pattern.times.add_product(all_hours, bit(static_cast<unsigned>(minute)));
    else
        for (const int time : form.times) pattern.times.add(time / 60, bit(static_cast<unsigned>(time % 60)));
    return pattern;
}

std::vector<std::string> warnings_of(const HumanForm& form) {
    std::vector<std::string> warnings;
    if (form.shape == Shape::monthly) {
        if (!form.last_day) warn_of_short_months(warnings, form.month_days & bit_range(29, 31), all_months, "last-day");
        if (form.nth_weekdays[5] != 0)
            warnings.push_back(
                fmt::format("some months have no fifth {0}: it is not due in them; say last {0}",
                            human_weekdays[static_cast<std::size_t>(values_of(form.nth_weekdays[5]).front())]));
    }
    if (form.shape == Shape::yearly)
        warn_of_short_months(warnings, bit(static_cast<unsigned>(form.date.day())),
                             bit(static_cast<unsigned>(form.date.month())), {});
    return warnings;
}

}  // namespace

base::Result<ParsedSchedule> parse_human_form(Span text) {
    const auto form = read_human_form(text);
    if (!form) {
        const auto fix = human_fix(text.text);
        const auto& error = form.error();
        return fix ? base::Error(error.code(), error.message(), base::printable(*fix)) : error;
    }
    ParsedSchedule result;
    result.kind = form->shape == Shape::once        ? ScheduleKind::once
                  : form->shape == Shape::on_change ? ScheduleKind::on_change
                  : form->shape == Shape::milestone ? ScheduleKind::milestone
                                                    : ScheduleKind::recurring;
    result.canonical = print(*form);
    result.pattern = pattern_of(*form);
    result.warnings = warnings_of(*form);
    return result;
}

}  // namespace pgbakd::calendar
