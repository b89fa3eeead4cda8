// What tells one schedule from another in a job's stored state: an edit of either part makes it a new schedule.
#pragma once

#include <string>

#include "calendar/schedule.hpp"
#include "calendar/zone.hpp"

namespace pgbakd::calendar {

// The canonical text and the zone's name: "daily at 02:00 [Europe/Berlin]". Stored by the catalog (JobState::schedule).
[[nodiscard]] inline std::string schedule_key(const Schedule& schedule, const Zone& zone) {
    return schedule.canonical() + " [" + zone.name() + "]";
}

}  // namespace pgbakd::calendar
