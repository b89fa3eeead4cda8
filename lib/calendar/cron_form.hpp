// Five-field cron as Vixie's crontab(5) has it, with L, D#N and DL for days as in Quartz. What other dialects read in
// another way is refused with the text that says what was meant.
#pragma once

#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "calendar/forms.hpp"

namespace pgbakd::calendar {

inline constexpr std::array<std::string_view, 12> cron_month_names = {"jan", "feb", "mar", "apr", "may", "jun",
                                                                      "jul", "aug", "sep", "oct", "nov", "dec"};
inline constexpr std::array<std::string_view, 7> cron_weekday_names = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

struct CronFacts {
    std::string_view name;
    int lowest, highest;
    std::span<const std::string_view> names;  // the first stands for `first_named`
    int first_named;
};
inline constexpr std::array<CronFacts, 5> cron_facts = {{
    {"minute", 0, 59, {}, 0},
    {"hour", 0, 23, {}, 0},
    {"day of month", 1, 31, {}, 0},
    {"month", 1, 12, cron_month_names, 1},
    {"weekday", 0, 7, cron_weekday_names, 0},
}};
enum CronIndex : std::size_t { minute_field, hour_field, day_field, month_field, weekday_field };

inline constexpr std::string_view cron_field_order = "minute hour day month weekday";

struct CronField {
    Bits values = 0;
    bool star = false;  // the text begins with "*": Vixie's rule for the two day fields
};

struct CronForm {
    std::array<CronField, 5> fields;
    bool last_day = false;
    std::array<Bits, 6> nth_weekdays{};  // [1] to [5]
    Bits last_weekdays = 0;
    std::vector<std::string> warnings;

    [[nodiscard]] bool has_special_weekdays() const {
        return last_weekdays != 0 ||
               std::any_of(nth_weekdays.begin(), nth_weekdays.end(), [](Bits b) { return b != 0; });
    }
    [[nodiscard]] bool both_restricted() const { return !fields[day_field].star && !fields[weekday_field].star; }
};

// Five fields, or a macro.
[[nodiscard]] base::Result<CronForm> read_cron_form(Span text);
// Why these are not five fields, and which five were meant (cron_dialects.cpp).
[[nodiscard]] base::Error wrong_field_count(Span text, std::span<const Span> fields);

}  // namespace pgbakd::calendar
