// A schedule as an administrator writes it, and the fires it means. Pure: no clock, no files.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "calendar/zone.hpp"

namespace pgbakd::calendar {

enum class ScheduleKind {
    recurring,  // by the clock, again and again
    once,       // by the clock, one time
    on_change,  // when watched files change
    milestone,  // by name, on request
};

// An immutable value; copies share what was parsed.
class Schedule {
  public:
    // Longer texts are refused.
    static constexpr std::size_t max_text_bytes = 1024;

    // Any form of docs/configuration.md. The error (invalid_argument) names the column, counted in bytes from 1, and
    // what is wrong; its hint is the fix. A text that is right but can never fire (30 February) parses: ask
    // never_fires().
    [[nodiscard]] static base::Result<Schedule> parse(std::string_view text);

    [[nodiscard]] ScheduleKind kind() const noexcept;
    // Fires by the clock (recurring or once), not by an event.
    [[nodiscard]] bool is_timed() const noexcept;
    // A text that parses to an equal schedule; equal schedules have equal texts.
    [[nodiscard]] const std::string& canonical() const noexcept;
    // The zone that the text itself names (`calendar … Europe/Berlin`), or empty: it overrides the job's.
    [[nodiscard]] std::string_view own_zone() const noexcept;
    // What is right but may surprise: day of month and weekday both restricted, monthly on 31, … Of the text as it was
    // parsed: equal schedules may differ in it.
    [[nodiscard]] std::vector<std::string> warnings() const;

    // Its hour set is all 24 hours: it keeps its pace through clock changes. Otherwise it is fixed: it neither loses
    // nor doubles a fire when clocks change (docs: rules 2 to 5 of schedules). False for events.
    [[nodiscard]] bool is_periodic() const noexcept;
    // A timed schedule without a single fire in this zone, whatever the year. Events: false.
    [[nodiscard]] bool never_fires(const Zone& zone) const;

    // The first fire strictly after `after`; nothing if none comes within 100 years. Events (on_change, milestone) have
    // none. Fires before the year 1 and after the year 9999 do not exist.
    [[nodiscard]] std::optional<base::Instant> next(base::Instant after, const Zone& zone) const;
    // The same without that bound, to tell a schedule that is over from one that is far away.
    [[nodiscard]] std::optional<base::Instant> next_ever(base::Instant after, const Zone& zone) const;
    // The last fire at or before `until` and strictly after `after`, found backwards; nothing if there is none.
    [[nodiscard]] std::optional<base::Instant> latest(base::Instant after, base::Instant until, const Zone& zone) const;
    // The longest and the shortest time between two neighbouring fires in the 366 days that follow `from`, or between
    // the next two fires when these are farther apart; nothing for schedules with fewer than two fires to come.
    struct Gaps {
        std::chrono::seconds shortest, longest;
    };
    [[nodiscard]] std::optional<Gaps> gaps(base::Instant from, const Zone& zone) const;

    // The shortest time between two fires as its text alone has it, whatever the year and the zone: nothing where that
    // is more than a week, and for events. A change of clocks may bring two fires closer together than this.
    [[nodiscard]] std::optional<std::chrono::seconds> shortest_gap() const;

    bool operator==(const Schedule& other) const { return canonical() == other.canonical(); }

  private:
    struct Data;
    explicit Schedule(std::shared_ptr<const Data> data);
    std::shared_ptr<const Data> data_;
};

// The column, counted as parse() counts, at which the zone stands that the text of a schedule itself names.
[[nodiscard]] std::size_t own_zone_column(std::string_view text);

}  // namespace pgbakd::calendar
