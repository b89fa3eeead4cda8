#include <algorithm>

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

}  // namespace

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
