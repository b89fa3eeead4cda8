#include "calendar/cron_form.hpp"

#include <fmt/format.h>

#include "base/text.hpp"
#include "calendar/value_list.hpp"

namespace pgbakd::calendar {
namespace {

std::string print_entries(Bits bits) {
    return print_values(values_of(bits), {"-", 1, 0});
}

// What is left of a set when all that */step means is taken out; nothing if */step means more than the set.
std::optional<Bits> beyond_step(Bits bits, const CronFacts& fact, int highest, int step) {
    const auto stepped = bit_range(fact.lowest, highest, step);
    if ((bits & stepped) != stepped) return std::nullopt;
    return bits & ~stepped;
}

// As short as it gets, beginning with a star wherever one fits.
std::string print_field(Bits bits, const CronFacts& fact, int highest) {
    for (int step = 1; fact.lowest + 2 * step <= highest; ++step)
        if (beyond_step(bits, fact, highest, step) == Bits{0})
            return step == 1 ? std::string("*") : fmt::format("*/{}", step);
    return print_entries(bits);
}

// Beginning with a star in any case; the set has the lowest value in it, as every such text does.
std::string print_starred(Bits bits, const CronFacts& fact, int highest) {
    for (int step = 1;; ++step) {
        const auto rest = beyond_step(bits, fact, highest, step);
        if (!rest) continue;
        return fmt::format("*/{}{}{}", step, *rest == 0 ? "" : ",", *rest == 0 ? "" : print_entries(*rest));
    }
}

void append_entry(std::string& text, const std::string& entry) {
    if (!text.empty()) text += ',';
    text += entry;
}

std::string print(const CronForm& cron) {
    std::array<std::string, 5> texts;
    const auto bits = [&cron](CronIndex i) { return cron.fields[i].values; };
    for (const auto i : {minute_field, hour_field, month_field})
        texts[i] = print_field(bits(i), cron_facts[i], cron_facts[i].highest);
    // Of the two day fields a star decides whether both must fit (one begins with it) or one of them (none does).
    const auto day_text = [&](CronIndex i, int highest) {
        if (bits(i) == 0) return std::string();
        return cron.both_restricted() ? print_entries(bits(i)) : print_field(bits(i), cron_facts[i], highest);
    };
    texts[day_field] = day_text(day_field, 31);
    texts[weekday_field] = day_text(weekday_field, 6);
    if (!cron.both_restricted() && !texts[day_field].starts_with('*') && !texts[weekday_field].starts_with('*')) {
        if (has_bit(bits(day_field), 1))
            texts[day_field] = print_starred(bits(day_field), cron_facts[day_field], 31);
        else
            texts[weekday_field] = print_starred(bits(weekday_field), cron_facts[weekday_field], 6);
    }
    if (cron.last_day) append_entry(texts[day_field], "L");
    for (int day = 0; day < 7; ++day) {
        for (std::size_t nth = 1; nth <= 5; ++nth)
            if (has_bit(cron.nth_weekdays[nth], day))
                append_entry(texts[weekday_field], fmt::format("{}#{}", day, nth));
        if (has_bit(cron.last_weekdays, day)) append_entry(texts[weekday_field], fmt::format("{}L", day));
    }
    return base::join(texts, " ");
}

Pattern pattern_of(const CronForm& cron) {
    Pattern pattern;
    pattern.months = cron.fields[month_field].values;
    pattern.times.add_product(cron.fields[hour_field].values, cron.fields[minute_field].values);
    pattern.days = make_shapes([&cron](int first_weekday, int length) {
        const auto by_day = cron.fields[day_field].values | (cron.last_day ? days_from_end(Bits{2}, length) : 0);
        auto by_weekday = days_on_weekdays(cron.fields[weekday_field].values, first_weekday, length) |
                          days_on_last_weekdays(cron.last_weekdays, first_weekday, length);
        for (int nth = 1; nth <= 5; ++nth)
            by_weekday |=
                days_on_nth_weekdays(cron.nth_weekdays[static_cast<std::size_t>(nth)], nth, first_weekday, length);
        return cron.both_restricted() ? by_day | by_weekday : by_day & by_weekday;
    });
    return pattern;
}

void add_warnings(CronForm& cron) {
    const auto days = cron.fields[day_field].values;
    if (cron.both_restricted())
        cron.warnings.emplace_back(
            "day of month and weekday are both given: it is due on days that fit either, not only on those that fit "
            "both");
    else if (days != 0 && !cron.last_day)
        warn_of_short_months(cron.warnings, days, cron.fields[month_field].values, "L");
}

}  // namespace

base::Result<ParsedSchedule> parse_cron_form(Span text) {
    auto cron = read_cron_form(text);
    if (!cron) return cron.error();
    add_warnings(*cron);
    ParsedSchedule result;
    result.canonical = print(*cron);
    result.pattern = pattern_of(*cron);
    result.warnings = std::move(cron->warnings);
    return result;
}

}  // namespace pgbakd::calendar
