// A pattern of local times on the line of instants: what clock changes make of it.
//
// A fixed pattern fires, for each of its local times, at the first instant at which the wall clock shows that time or a
// later one. This one sentence is the rule for gaps (the first instant after it, once for all that was jumped over) and
// for overlaps (the first pass only). A day's worth of time jumped over at once is a day that did not exist: no fire.
// A periodic pattern fires whenever the wall clock shows one of its times.
#pragma once

#include <chrono>
#include <optional>

#include "base/clock.hpp"
#include "calendar/pattern.hpp"
#include "calendar/zone.hpp"

namespace pgbakd::calendar {

// Fires exist from the year 1 to the year 9999.
inline constexpr base::Instant first_instant{std::chrono::sys_days{std::chrono::year{1} / 1 / 2}};
inline constexpr base::Instant last_instant{std::chrono::sys_days{std::chrono::year{9999} / 12 / 30}};

// The first fire strictly after `after` and at most 100 years later.
[[nodiscard]] std::optional<base::Instant> next_fire(const Pattern& pattern, base::Instant after, const Zone& zone);
// The last fire at or before `until` and strictly after `after`.
[[nodiscard]] std::optional<base::Instant> latest_fire(const Pattern& pattern, base::Instant after, base::Instant until,
                                                       const Zone& zone);
// The shortest and the longest time between neighbouring fires in the 366 days after `from`, or between the next two.
struct FireGaps {
    std::chrono::seconds shortest, longest;
};
[[nodiscard]] std::optional<FireGaps> fire_gaps(const Pattern& pattern, base::Instant from, const Zone& zone);
// The shortest time between two of its local times, whatever the year; nothing where all are a week or more apart.
[[nodiscard]] std::optional<std::chrono::seconds> shortest_local_gap(const Pattern& pattern);

}  // namespace pgbakd::calendar
