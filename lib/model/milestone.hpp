// The dates of a job that runs by name and, on these, by the calendar too; and what tells one timetable from another.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "calendar/schedule_key.hpp"
#include "calendar/zone.hpp"

namespace pgbakd::model {

struct Milestone {
    std::string name;       // of the set that it becomes, behind the time
    calendar::Schedule at;  // `once at …`: local time in the job's zone
    bool operator==(const Milestone&) const = default;
};

// "2026-12-01 02:00". Errors say what such a text is.
[[nodiscard]] base::Result<calendar::Schedule> parse_milestone_date(std::string_view text);
[[nodiscard]] std::string_view milestone_date(const Milestone& milestone);

// As Schedule::next() and latest(), over all dates.
[[nodiscard]] std::optional<base::Instant> next_milestone(const std::vector<Milestone>& milestones, base::Instant after,
                                                          const calendar::Zone& zone);
[[nodiscard]] std::optional<base::Instant> latest_milestone(const std::vector<Milestone>& milestones,
                                                            base::Instant after, base::Instant until,
                                                            const calendar::Zone& zone);
// The name of the date whose fire is nearest to `slot`: new rules of a zone may have moved it since. Empty without
// dates.
[[nodiscard]] std::string milestone_name(const std::vector<Milestone>& milestones, base::Instant slot,
                                         const calendar::Zone& zone);

// What tells one timetable from another in a job's stored state (catalog::JobState::schedule): the schedule, the zone's
// name and the dates. "daily at 02:00 [Europe/Berlin]", "milestone [UTC] 2026-12-01 02:00, 2027-02-01 02:00".
[[nodiscard]] std::string timetable_key(const calendar::Schedule& schedule, const calendar::Zone& zone,
                                        const std::vector<Milestone>& milestones);
struct Timetable {
    calendar::Schedule schedule;
    std::string zone;
    std::vector<Milestone> milestones;  // their names are not stored
};
// Nothing if the text is no such key.
[[nodiscard]] std::optional<Timetable> read_timetable_key(std::string_view key);

}  // namespace pgbakd::model
