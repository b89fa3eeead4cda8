// What the watch of health is to look at, and when. Pure.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "base/clock.hpp"
#include "calendar/schedule.hpp"
#include "health/inputs.hpp"

namespace pgbakd::service {

// What has happened to jobs since they were last looked at.
class HealthWork {
  public:
    using Missed = std::map<std::string, health::MissedFires>;
    struct Taken {
        Missed missed;
        std::set<std::string> changed;
    };

    void missed(const std::string& job, health::MissedFires fires) { missed_[job] = std::move(fires); }
    void changed(const std::string& job) { changed_.insert(job); }

    [[nodiscard]] bool empty() const noexcept { return missed_.empty() && changed_.empty(); }
    // Of one that is not empty: the job to look at next.
    [[nodiscard]] const std::string& first() const {
        return missed_.empty() ? *changed_.begin() : missed_.begin()->first;
    }
    [[nodiscard]] const Missed& all_missed() const noexcept { return missed_; }

    // Before a look, at one job or at all: what happens while it lasts is for the next one.
    [[nodiscard]] Taken take(const std::optional<std::string>& job) {
        if (!job) return {std::exchange(missed_, {}), std::exchange(changed_, {})};
        Taken taken;
        if (auto fires = missed_.extract(*job)) taken.missed.insert(std::move(fires));
        if (auto name = changed_.extract(*job)) taken.changed.insert(std::move(name));
        return taken;
    }
    // That look has failed.
    void put_back(Taken taken) {
        changed_.merge(taken.changed);
        for (auto& [job, earlier] : taken.missed) {
            const auto [place, is_new] = missed_.emplace(job, earlier);
            if (is_new) continue;
            place->second.count += earlier.count;
            place->second.more = place->second.more || earlier.more;
        }
    }

  private:
    Missed missed_;
    std::set<std::string> changed_;
};

// When it is looked at everything, by the schedule. That is anchored to when it was planned.
class HealthSchedule {
  public:
    void plan(const calendar::Schedule& schedule, const calendar::Zone& zone, base::Timestamp now) {
        planned_at_ = now;
        due_.reset();
        if (const auto next = schedule.next_ever(base::to_instant(now), zone))
            due_ = base::Timestamp(next->time_since_epoch());
    }
    // Nothing: never again.
    [[nodiscard]] const std::optional<base::Timestamp>& due() const noexcept { return due_; }
    [[nodiscard]] bool is_due(base::Timestamp now) const noexcept { return due_ && *due_ <= now; }
    // The clock was set back behind the plan: it was ahead then, and what was planned may be years away.
    [[nodiscard]] bool is_of_a_clock_ahead(base::Timestamp now) const noexcept { return now < planned_at_; }

  private:
    base::Timestamp planned_at_{};
    std::optional<base::Timestamp> due_;
};

// Which channels were told lately, other than behind a start or a reload, of what was wrong already. Once a day is
// enough: an alert that a channel refuses for what is in it would be lost again behind each one that it takes.
class NewsPace {
  public:
    [[nodiscard]] std::set<std::string> quiet(base::Timestamp now) const {
        constexpr std::chrono::hours pause{24};
        std::set<std::string> channels;
        for (const auto& [channel, at] : told_)
            if (at <= now && now - at < pause) channels.insert(channel);
        return channels;
    }
    void told(const std::set<std::string>& channels, base::Timestamp now) {
        for (const auto& channel : channels) told_.insert_or_assign(channel, now);
    }
    // Somebody may have mended them.
    void begin_anew() { told_.clear(); }

  private:
    std::map<std::string, base::Timestamp> told_;
};

}  // namespace pgbakd::service
