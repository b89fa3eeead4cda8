#include "calendar/fires.hpp"

#include <algorithm>

namespace pgbakd::calendar {
namespace {

using base::Instant;
using std::chrono::hours;
using std::chrono::local_seconds;
using std::chrono::seconds;

constexpr seconds century = std::chrono::days{36525};
constexpr hours lost_day{24};

local_seconds local_at(Instant instant, seconds offset) {
    return local_seconds{instant.time_since_epoch() + offset};
}
Instant instant_of(local_seconds time, seconds offset) {
    return Instant{time.time_since_epoch() - offset};
}
// No instant before (after) this one shows `time` on any wall clock.
Instant earliest_of(local_seconds time) {
    return instant_of(time, Zone::offset_bound);
}
Instant latest_of(local_seconds time) {
    return instant_of(time, -Zone::offset_bound);
}

// Local times were jumped over just before the period began, and a fixed pattern makes up for them.
bool makes_up(const Pattern& pattern, const Period& period) {
    const auto lost = local_at(period.begin, period.offset) - period.reached;
    return !pattern.is_periodic() && lost > seconds{0} && lost < lost_day;
}

}  // namespace

std::optional<Instant> next_fire(const Pattern& pattern, Instant after, const Zone& zone) {
    if (after >= last_instant) return std::nullopt;
    const auto limit = std::min(std::max(after, first_instant - century) + century, last_instant);
    const int last_year = year_of(local_at(limit, Zone::offset_bound));
    auto from = std::max(after + seconds{1}, first_instant);
    while (from <= limit) {
        const auto period = zone.period(from);
        const auto shown = local_at(from, period.offset);
        if (from == period.begin && makes_up(pattern, period)) {
            const auto lost = pattern.first_from(period.reached, last_year);
            if (lost && *lost < shown) return from;
        }
        // What a fixed pattern has fired for in the first pass is done.
        const auto start = pattern.is_periodic() ? shown : std::max(shown, period.reached);
        const auto time = pattern.first_from(start, last_year);
        if (time && *time < local_at(period.end, period.offset)) {
            const auto fire = instant_of(*time, period.offset);
            return fire <= limit ? std::optional(fire) : std::nullopt;
        }
        // Not in this period. Instants from its end on that show nothing but [start, time) can be leapt over; after a
        // step back of the clock, times before `start` may come again.
        from = period.end;
        if (from >= latest_of(start)) {
            if (!time) return std::nullopt;
            from = std::max(from, earliest_of(*time));
        }
    }
    return std::nullopt;
}

std::optional<Instant> latest_fire(const Pattern& pattern, Instant after, Instant until, const Zone& zone) {
    after = std::max(after, first_instant - seconds{1});
    until = std::min(until, last_instant);
    if (after >= until) return std::nullopt;
    const int first_year = year_of(local_at(after, -Zone::offset_bound));
    const auto if_after = [after](Instant fire) { return fire > after ? std::optional(fire) : std::nullopt; };
    while (until > after) {
        const auto period = zone.period(until);
        const auto shown = local_at(until, period.offset);
        const auto begin = local_at(period.begin, period.offset);
        const auto time = pattern.last_until(shown, first_year);
        if (time && *time >= (pattern.is_periodic() ? begin : std::max(begin, period.reached)))
            return if_after(instant_of(*time, period.offset));
        if (makes_up(pattern, period)) {
            const auto lost = pattern.last_until(begin - seconds{1}, first_year);
            if (lost && *lost >= period.reached) return if_after(period.begin);
        }
        // Instants before the period that show nothing but (time, shown] can be leapt over, as above.
        until = period.begin - seconds{1};
        if (until <= earliest_of(shown)) {
            if (!time) return std::nullopt;
            until = std::min(until, latest_of(*time));
        }
    }
    return std::nullopt;
}

}  // namespace pgbakd::calendar
