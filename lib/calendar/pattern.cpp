#include "calendar/pattern.hpp"

#include <algorithm>
#include <bit>

namespace pgbakd::calendar {
namespace {

using std::chrono::local_days;
using std::chrono::local_seconds;
using std::chrono::seconds;

constexpr Bits from_bit(int value) {
    return value > 63 ? 0 : ~Bits{0} << static_cast<unsigned>(value);
}
constexpr Bits up_to_bit(int value) {
    return value < 0 ? 0 : ~Bits{0} >> static_cast<unsigned>(63 - value);
}
int lowest(Bits bits) {
    return std::countr_zero(bits);
}
int highest(Bits bits) {
    return 63 - std::countl_zero(bits);
}

local_days date_of(int year, int month, int day) {
    return local_days{std::chrono::year{year} / month / day};
}

// A month by number, and the days in it that a pattern means.
struct Date {
    int year, month, day;
    explicit Date(local_days date) {
        const std::chrono::year_month_day parts{date};
        year = static_cast<int>(parts.year());
        month = static_cast<int>(static_cast<unsigned>(parts.month()));
        day = static_cast<int>(static_cast<unsigned>(parts.day()));
    }
};

}  // namespace

int year_of(local_seconds time) {
    return Date(std::chrono::floor<std::chrono::days>(time)).year;
}

bool TimeSet::is_same_in_each_hour() const {
    for (auto hours = hours_; hours != 0; hours &= hours - 1)
        if (minutes_of(lowest(hours)) != minutes_of(lowest(hours_))) return false;
    return true;
}

void TimeSet::add(int hour, Bits minutes) {
    const auto bit = Bits{1} << static_cast<unsigned>(hour);
    if ((hours_ & bit) != 0) minutes |= minutes_of(hour);
    if (!by_hour_ && (hours_ & ~bit) != 0 && minutes != minutes_) {
        by_hour_ = std::make_unique<ByHour>();
        by_hour_->fill(minutes_);
    }
    hours_ |= bit;
    if (!by_hour_) {
        minutes_ = minutes;
        return;
    }
    (*by_hour_)[static_cast<std::size_t>(hour)] = minutes;
    if (!is_same_in_each_hour()) return;
    minutes_ = minutes;
    by_hour_.reset();
}

void TimeSet::add_product(Bits hours, Bits minutes) {
    for (; hours != 0; hours &= hours - 1) add(lowest(hours), minutes);
}

std::optional<int> TimeSet::first_from(int second_of_day) const {
    const int hour = second_of_day / 3600, minute = second_of_day / 60 % 60, second = second_of_day % 60;
    if (has_bit(hours_, hour)) {
        const auto minutes = minutes_of(hour);
        if (has_bit(minutes, minute))
            if (const auto rest = seconds_ & from_bit(second); rest != 0)
                return hour * 3600 + minute * 60 + lowest(rest);
        if (const auto rest = minutes & from_bit(minute + 1); rest != 0)
            return hour * 3600 + lowest(rest) * 60 + lowest(seconds_);
    }
    const auto rest = hours_ & from_bit(hour + 1);
    if (rest == 0) return std::nullopt;
    return lowest(rest) * 3600 + lowest(minutes_of(lowest(rest))) * 60 + lowest(seconds_);
}

std::optional<int> TimeSet::last_until(int second_of_day) const {
    const int hour = second_of_day / 3600, minute = second_of_day / 60 % 60, second = second_of_day % 60;
    if (has_bit(hours_, hour)) {
        const auto minutes = minutes_of(hour);
        if (has_bit(minutes, minute))
            if (const auto rest = seconds_ & up_to_bit(second); rest != 0)
                return hour * 3600 + minute * 60 + highest(rest);
        if (const auto rest = minutes & up_to_bit(minute - 1); rest != 0)
            return hour * 3600 + highest(rest) * 60 + highest(seconds_);
    }
    const auto rest = hours_ & up_to_bit(hour - 1);
    if (rest == 0) return std::nullopt;
    return highest(rest) * 3600 + highest(minutes_of(highest(rest))) * 60 + highest(seconds_);
}

void YearSet::add(int year) {
    if (!years_) years_ = std::make_unique<std::bitset<highest - lowest + 1>>();
    years_->set(static_cast<std::size_t>(year - lowest));
}

bool YearSet::contains(int year) const {
    if (is_all()) return true;
    return year >= lowest && year <= highest && years_->test(static_cast<std::size_t>(year - lowest));
}

std::optional<int> YearSet::first_from(int year) const {
    if (is_all()) return year;
    for (year = std::max(year, lowest); year <= highest; ++year)
        if (contains(year)) return year;
    return std::nullopt;
}

std::optional<int> YearSet::last_until(int year) const {
    if (is_all()) return year;
    for (year = std::min(year, highest); year >= lowest; --year)
        if (contains(year)) return year;
    return std::nullopt;
}

Bits days_on_weekdays(Bits weekdays, int first_weekday, int length) {
    Bits result = 0;
    for (int day = 1; day <= length; ++day)
        if (has_bit(weekdays, (first_weekday + day - 1) % 7)) result |= Bits{1} << static_cast<unsigned>(day);
    return result;
}

Bits days_on_nth_weekdays(Bits weekdays, int nth, int first_weekday, int length) {
    return days_on_weekdays(weekdays, first_weekday, length) & bit_range(nth * 7 - 6, nth * 7);
}

Bits days_on_last_weekdays(Bits weekdays, int first_weekday, int length) {
    return days_on_weekdays(weekdays, first_weekday, length) & bit_range(length - 6, length);
}

Bits days_from_end(Bits from_end, int length) {
    Bits result = 0;
    for (int day = 1; day <= length; ++day)
        if (has_bit(from_end, length - day + 1)) result |= Bits{1} << static_cast<unsigned>(day);
    return result;
}

Bits Pattern::days_in(int year, int month) const {
    const auto y = std::chrono::year{year};
    const auto last = std::chrono::year_month_day_last{
        y, std::chrono::month_day_last{std::chrono::month{static_cast<unsigned>(month)}}};
    const auto first_weekday = std::chrono::weekday{date_of(year, month, 1)}.c_encoding();
    return days[first_weekday][static_cast<unsigned>(last.day()) - 28];
}

std::optional<local_seconds> Pattern::first_from(local_seconds from, int last_year) const {
    const auto today = std::chrono::floor<std::chrono::days>(from);
    const Date date(today);
    int year = date.year, month = date.month;
    Bits in_month = years.contains(year) && has_bit(months, month) ? days_in(year, month) : 0;
    if (has_bit(in_month, date.day))
        if (const auto time = times.first_from(static_cast<int>((from - today).count()))) return today + seconds{*time};
    in_month &= from_bit(date.day + 1);
    while (in_month == 0) {
        if (const auto rest = months & from_bit(month + 1); rest != 0 && years.contains(year)) {
            month = lowest(rest);
        } else {
            const auto next = years.first_from(year + 1);
            if (!next || *next > last_year) return std::nullopt;
            year = *next;
            month = lowest(months);
        }
        in_month = days_in(year, month);
    }
    if (year > last_year) return std::nullopt;
    return date_of(year, month, lowest(in_month)) + seconds{*times.first_from(0)};
}

std::optional<local_seconds> Pattern::last_until(local_seconds until, int first_year) const {
    const auto today = std::chrono::floor<std::chrono::days>(until);
    const Date date(today);
    int year = date.year, month = date.month;
    Bits in_month = years.contains(year) && has_bit(months, month) ? days_in(year, month) : 0;
    if (has_bit(in_month, date.day))
        if (const auto time = times.last_until(static_cast<int>((until - today).count())))
            return today + seconds{*time};
    in_month &= up_to_bit(date.day - 1);
    while (in_month == 0) {
        if (const auto rest = months & up_to_bit(month - 1); rest != 0 && years.contains(year)) {
            month = highest(rest);
        } else {
            const auto previous = years.last_until(year - 1);
            if (!previous || *previous < first_year) return std::nullopt;
            year = *previous;
            month = highest(months);
        }
        in_month = days_in(year, month);
    }
    if (year < first_year) return std::nullopt;
    return date_of(year, month, highest(in_month)) + seconds{*times.last_until(86399)};
}

}  // namespace pgbakd::calendar
