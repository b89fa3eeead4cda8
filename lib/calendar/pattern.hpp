// Which local dates and times a schedule means, as sets of bits: looking for the next one is a few instructions, not a
// walk over minutes. Knows nothing of time zones.
#pragma once

#include <array>
#include <bitset>
#include <cassert>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>

namespace pgbakd::calendar {

// Bit n stands for the value n.
using Bits = std::uint64_t;

// The bits first, first + step, … up to last.
[[nodiscard]] constexpr Bits bit_range(int first, int last, int step = 1) noexcept {
    assert(first >= 0 && last < 64 && step > 0);
    Bits bits = 0;
    for (int value = first; value <= last; value += step) bits |= Bits{1} << static_cast<unsigned>(value);
    return bits;
}
[[nodiscard]] constexpr bool has_bit(Bits bits, int value) noexcept {
    return (bits >> static_cast<unsigned>(value) & 1U) != 0;
}

inline constexpr Bits all_minutes = bit_range(0, 59);
inline constexpr Bits all_hours = bit_range(0, 23);
inline constexpr Bits all_days = bit_range(1, 31);
inline constexpr Bits all_months = bit_range(1, 12);
inline constexpr Bits all_weekdays = bit_range(0, 6);  // 0 is Sunday

// Times of a day; never empty once filled.
class TimeSet {
  public:
    // Each of `minutes` in the hour `hour`.
    void add(int hour, Bits minutes);
    void add_product(Bits hours, Bits minutes);
    void set_seconds(Bits seconds) { seconds_ = seconds; }

    [[nodiscard]] bool in_every_hour() const { return hours_ == all_hours; }
    // Seconds from midnight, as the wall clock counts them.
    [[nodiscard]] std::optional<int> first_from(int second_of_day) const;
    [[nodiscard]] std::optional<int> last_until(int second_of_day) const;

  private:
    using ByHour = std::array<Bits, 24>;
    [[nodiscard]] Bits minutes_of(int hour) const {
        if (!by_hour_) [[likely]]
            return minutes_;
        return (*by_hour_)[static_cast<std::size_t>(hour)];
    }
    [[nodiscard]] bool is_same_in_each_hour() const;

    // Nearly always the same minutes in each hour: they are kept once, and a hundred thousand jobs have one set each.
    std::unique_ptr<ByHour> by_hour_;  // where hours differ
    Bits minutes_ = 0;                 // of each hour, where they do not
    Bits hours_ = 0;                   // those with minutes
    Bits seconds_ = 1;
};

// Years from 1970 to 2199 (as systemd has them), or all.
class YearSet {
  public:
    static constexpr int lowest = 1970, highest = 2199;
    void add(int year);
    [[nodiscard]] bool is_all() const { return years_ == nullptr; }
    [[nodiscard]] bool contains(int year) const;
    [[nodiscard]] std::optional<int> first_from(int year) const;
    [[nodiscard]] std::optional<int> last_until(int year) const;

  private:
    // Absent: all, as nearly always.
    std::unique_ptr<std::bitset<highest - lowest + 1>> years_;
};

// How many days a month has, in leap years.
inline constexpr std::array<int, 13> longest_months = {0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

// Days of the month for each shape a month can have: by the weekday of its first day, and by its length less 28.
using MonthShapes = std::array<std::array<std::uint32_t, 4>, 7>;

// Parts that MonthShapes are made of; `first_weekday` is that of the first day of the month.
[[nodiscard]] Bits days_on_weekdays(Bits weekdays, int first_weekday, int length);
[[nodiscard]] Bits days_on_nth_weekdays(Bits weekdays, int nth, int first_weekday, int length);
[[nodiscard]] Bits days_on_last_weekdays(Bits weekdays, int first_weekday, int length);
// Bit k of `from_end` is the k-th day from the end, 1 the last.
[[nodiscard]] Bits days_from_end(Bits from_end, int length);

template <class DaysOfShape>  // Bits(int first_weekday, int length)
[[nodiscard]] MonthShapes make_shapes(DaysOfShape days_of_shape) {
    MonthShapes shapes{};
    for (int first_weekday = 0; first_weekday < 7; ++first_weekday)
        for (int length = 28; length <= 31; ++length)
            shapes[static_cast<std::size_t>(first_weekday)][static_cast<std::size_t>(length - 28)] =
                static_cast<std::uint32_t>(days_of_shape(first_weekday, length) & bit_range(1, length));
    return shapes;
}

struct Pattern {
    YearSet years;
    Bits months = all_months;
    MonthShapes days{};
    TimeSet times;

    // Periodic schedules keep their pace through clock changes, fixed ones their days. The set decides, not the text.
    [[nodiscard]] bool is_periodic() const { return times.in_every_hour(); }

    // The first time at or after `from`, in `last_year` at the latest.
    [[nodiscard]] std::optional<std::chrono::local_seconds> first_from(std::chrono::local_seconds from,
                                                                       int last_year) const;
    // The last time at or before `until`, in `first_year` at the earliest.
    [[nodiscard]] std::optional<std::chrono::local_seconds> last_until(std::chrono::local_seconds until,
                                                                       int first_year) const;
    // Days of that month, bit 1 the first.
    [[nodiscard]] Bits days_in(int year, int month) const;
};

[[nodiscard]] int year_of(std::chrono::local_seconds time);

}  // namespace pgbakd::calendar
