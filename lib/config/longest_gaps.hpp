// How far apart the fires of schedules are at most, each worked out once: thousands of jobs share a few schedules.
#pragma once

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <string>

#include "calendar/schedule_key.hpp"

namespace pgbakd::config {

class LongestGaps {
  public:
    explicit LongestGaps(base::Instant now) : now_(now) {}

    // Over the next year and a half, so that every change of clocks is among them; nothing for events, and where fewer
    // than two fires are to come.
    [[nodiscard]] std::optional<std::chrono::seconds> find(const calendar::Schedule& schedule,
                                                           const calendar::Zone& zone) {
        const auto [known, is_new] = known_.try_emplace(calendar::schedule_key(schedule, zone));
        if (!is_new) return known->second;
        for (const auto& from : {now_, now_ + std::chrono::days{183}})
            if (const auto gaps = schedule.gaps(from, zone))
                known->second = std::max(known->second.value_or(gaps->longest), gaps->longest);
        return known->second;
    }

  private:
    base::Instant now_;
    std::map<std::string, std::optional<std::chrono::seconds>> known_;
};

}  // namespace pgbakd::config
