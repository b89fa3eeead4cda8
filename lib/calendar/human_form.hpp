// The forms for people: `daily at 02:00`, `monthly on last-day at 03:00`, `every 6 hours`, …
#pragma once

#include <array>
#include <chrono>
#include <set>
#include <string>
#include <string_view>

#include "calendar/forms.hpp"

namespace pgbakd::calendar {

struct HumanForm {
    enum class Shape {
        daily,
        weekdays,
        twice_daily,
        weekly,
        monthly,
        yearly,
        hourly,
        every_hours,
        every_minutes,
        once,
        on_change,
        milestone
    };
    Shape shape = Shape::daily;
    std::set<int> times;  // minutes from midnight; hourly: minutes of the hour
    Bits weekdays = 0;    // weekly
    Bits month_days = 0;  // monthly
    bool last_day = false;
    std::array<Bits, 6> nth_weekdays{};  // monthly: [1] to [5]
    Bits last_weekdays = 0;              // monthly
    std::chrono::year_month_day date{};  // once; yearly without its year
    int every = 0;                       // every_hours, every_minutes
};

// By number: weekdays from sunday, and the words for which of them in a month ([0] is "last").
inline constexpr std::array<std::string_view, 7> human_weekdays = {"sunday",   "monday", "tuesday", "wednesday",
                                                                   "thursday", "friday", "saturday"};
inline constexpr std::array<std::string_view, 6> human_ordinals = {"last",  "first",  "second",
                                                                   "third", "fourth", "fifth"};

[[nodiscard]] base::Result<HumanForm> read_human_form(Span text);

}  // namespace pgbakd::calendar
