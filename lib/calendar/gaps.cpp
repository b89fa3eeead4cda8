#include <algorithm>
#include <bit>

#include "calendar/fires.hpp"

namespace pgbakd::calendar {
namespace {

using base::Instant;
using std::chrono::days;
using std::chrono::local_seconds;
using std::chrono::seconds;

constexpr seconds window = days{366};
// On a day with a clock change fires are walked one by one; a schedule of every second is looked at in part only.
constexpr int walked_fires_bound = 20'000;

class Collector {
  public:
    void add(seconds gap) {
        if (!gaps_) gaps_ = FireGaps{gap, gap};
        gaps_->shortest = std::min(gaps_->shortest, gap);
        gaps_->longest = std::max(gaps_->longest, gap);
    }
    void add(const FireGaps& gaps) {
        add(gaps.shortest);
        add(gaps.longest);
    }
    [[nodiscard]] const std::optional<FireGaps>& gaps() const { return gaps_; }

  private:
    std::optional<FireGaps> gaps_;
};

// Between the fires of one local day, from `second` on; and the last of them.
struct DayGaps {
    std::optional<FireGaps> gaps;
    int last = 0;
};
DayGaps gaps_in_day(const TimeSet& times, int second) {
    Collector collector;
    for (;;) {
        const auto next = second < 86399 ? times.first_from(second + 1) : std::nullopt;
        if (!next) return {collector.gaps(), second};
        collector.add(seconds{*next - second});
        second = *next;
    }
}

// Days between neighbouring dates, at least; nothing where all are more than a week apart.
std::optional<int> closest_dates(const Pattern& pattern) {
    constexpr int most = 7, none = -1000;
    // Each kind of month, and of one before it, comes in any 28 years that leave no leap year out. Where years are
    // named, those count.
    const bool all_years = pattern.years.is_all();
    const int first_year = all_years ? 2000 : pattern.years.first_from(YearSet::lowest).value_or(YearSet::highest);
    const int last_year = all_years ? first_year + 28 : YearSet::highest;
    int closest = most + 1;
    // The last date, counted from the first day of the month that is looked at.
    int before = none;
    for (int year = first_year; year <= last_year && closest > 1; ++year) {
        for (int month = 1; month <= 12 && closest > 1; ++month) {
            const bool is_in = pattern.years.contains(year) && has_bit(pattern.months, month);
            for (auto dates = is_in ? pattern.days_in(year, month) : Bits{0}; dates != 0; dates &= dates - 1) {
                const int day = std::countr_zero(dates);
                closest = std::min(closest, day - before);
                before = day;
            }
            const std::chrono::year_month_day_last end{
                std::chrono::year{year} / std::chrono::month{static_cast<unsigned>(month)} / std::chrono::last};
            before = std::max(none, before - static_cast<int>(static_cast<unsigned>(end.day())));
        }
    }
    return closest > most ? std::nullopt : std::optional(closest);
}

}  // namespace

std::optional<seconds> shortest_local_gap(const Pattern& pattern) {
    const auto day = gaps_in_day(pattern.times, *pattern.times.first_from(0));
    std::optional<seconds> shortest;
    if (day.gaps) shortest = day.gaps->shortest;
    if (const auto apart = closest_dates(pattern)) {
        const auto overnight = days{*apart} - seconds{day.last - *pattern.times.first_from(0)};
        shortest = std::min<seconds>(shortest.value_or(overnight), overnight);
    }
    return shortest;
}

std::optional<FireGaps> fire_gaps(const Pattern& pattern, Instant from, const Zone& zone) {
    const auto first = next_fire(pattern, from, zone);
    if (!first) return std::nullopt;
    const auto until = *first + window;
    const auto whole_day = gaps_in_day(pattern.times, *pattern.times.first_from(0));
    Collector collector;
    auto fire = *first;
    for (int walked = 0; walked < walked_fires_bound;) {
        // Within a day without a clock change the times of the day tell all.
        const auto period = zone.period(fire);
        const local_seconds shown{fire.time_since_epoch() + period.offset};
        const auto midnight = std::chrono::floor<days>(shown);
        const auto next_midnight = Instant{(midnight + days{1}).time_since_epoch() - period.offset};
        const auto second = static_cast<int>((shown - midnight).count());
        // A fire that makes up for lost times is none of the day's own.
        const bool is_own = pattern.times.first_from(second) == second;
        if (is_own && next_midnight <= period.end && shown >= period.reached && next_midnight <= until) {
            const auto day = second == *pattern.times.first_from(0) ? whole_day : gaps_in_day(pattern.times, second);
            if (day.gaps) collector.add(*day.gaps);
            fire += seconds{day.last - second};
        } else {
            ++walked;
        }
        const auto next = next_fire(pattern, fire, zone);
        if (!next || (*next > until && collector.gaps())) break;
        collector.add(*next - fire);
        fire = *next;
    }
    return collector.gaps();
}

}  // namespace pgbakd::calendar
