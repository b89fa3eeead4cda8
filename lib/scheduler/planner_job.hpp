// The planner's inner values; for its own sources only.
#pragma once

#include <algorithm>
#include <utility>

#include "scheduler/planner.hpp"

namespace pgbakd::scheduler {

// Since when a job is one that starts with its next slot.
enum class Since : std::uint8_t { added, edited, resumed };

struct Planner::Job {
    explicit Job(PlannedJob job) : planned(std::move(job)) {}

    PlannedJob planned;
    std::uint32_t rank = 0;
    // What the catalog has or is about to have: slots up to here are settled, whatever happens to this process.
    base::Instant anchor{};
    // Slots up to here were dealt with, be it that they wait. Behind the anchor while a periodic job goes again through
    // hours that the clock was set back by.
    base::Instant position{};
    std::optional<base::Instant> next;  // the slot that due_ holds
    // Up to here it had got before the clock was set back by hours.
    base::Instant before_set_back = base::Instant::min();
    bool anchored = false;  // false: starts with its next slot, once the clock can be believed
    bool paused = false;
    bool catch_up_runs = false;  // the run that goes on is one of `catch_up: all`
    Since since = Since::added;  // not anchored
    std::vector<Fire> waiting;   // for a run of the job to end, oldest first
    // A later fire than one that waits was skipped: settled once nothing waits any more.
    base::Instant skipped_behind = base::Instant::min();

    // A restart does not look at `slot` again.
    void settle(base::Instant slot) {
        anchor = std::max(anchor, slot);
        if (waiting.empty()) anchor = std::max(anchor, skipped_behind);
    }
    // The same, but a restart must still find an older one that waits.
    void settle_skipped(base::Instant slot) {
        if (!waiting.empty() && waiting.front().slot < slot)
            skipped_behind = std::max(skipped_behind, slot);
        else
            settle(slot);
    }
    [[nodiscard]] catalog::JobState state() const {
        // Without its schedule's text a stored state counts as edited: the next start anchors it, as this one would
        // have.
        return {planned.name, anchored ? planned.key() : std::string(), anchor, paused};
    }
    [[nodiscard]] std::optional<base::Instant> next_after(base::Instant after) const {
        return planned.next(after, *planned.zone);
    }
    // Slots up to here ran, wait or were skipped, those that come again since the clock was set back a little included.
    [[nodiscard]] base::Instant dealt_with() const {
        const auto settled = std::max({position, anchor, skipped_behind});
        return waiting.empty() ? settled : std::max(settled, waiting.back().slot);
    }
    [[nodiscard]] std::optional<base::Instant> latest_missed(base::Instant until) const {
        return planned.latest(dealt_with(), until, *planned.zone);
    }
    // Slots that have passed and whose start has not, or by less than `late`; the oldest first.
    [[nodiscard]] std::vector<base::Instant> pending(base::Instant now, std::chrono::seconds late) const {
        std::vector<base::Instant> slots;
        if (!anchored || paused) return slots;
        auto slot = next_after(std::max(dealt_with(), now - planned.offset - late));
        for (; slot && *slot <= now && slots.size() < most_counted; slot = next_after(*slot)) slots.push_back(*slot);
        return slots;
    }
    // With `catch_up: all`: some of it runs or waits.
    [[nodiscard]] bool catches_up() const {
        return catch_up_runs || std::any_of(waiting.begin(), waiting.end(),
                                            [](const Fire& fire) { return fire.catch_up || fire.behind_missed; });
    }
    [[nodiscard]] bool waits(base::Instant slot) const {
        return std::any_of(waiting.begin(), waiting.end(), [slot](const Fire& fire) { return fire.slot == slot; });
    }
};

struct Planner::Turn {
    base::Instant now;
    std::vector<Action> actions{};
    std::uint64_t countable = most_counted_at_once;
    // Jobs that start sooner behind their slots than before. A later slot than this one was in time when the offset
    // changed: it is not missed, whatever the new offset says.
    struct Sooner {
        Job* job;
        base::Instant in_time_behind;
    };
    std::vector<Sooner> sooner{};
    // The first slot that an edit left with its start to come.
    std::map<const Job*, base::Instant> kept{};
};

namespace why {
inline constexpr std::string_view added = "new job";
inline constexpr std::string_view edited = "schedule or time zone edited";
inline constexpr std::string_view dates = "milestones edited";
inline constexpr std::string_view paused = "paused";
inline constexpr std::string_view resumed = "resumed";
inline constexpr std::string_view set_back = "the clock was set back";
inline constexpr std::string_view set_forward = "the clock was set forward to where it had been";
inline constexpr std::string_view new_rules = "new time zone rules";

constexpr std::string_view since(Since begun) {
    switch (begun) {
        case Since::added: return added;
        case Since::edited: return edited;
        case Since::resumed: return resumed;
    }
    return {};
}
}  // namespace why

}  // namespace pgbakd::scheduler
