// What the Planner wants done. Values: whoever owns the Planner carries them out in the order given.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/clock.hpp"
#include "catalog/catalog.hpp"

namespace pgbakd::scheduler {

// Run the job for this slot. Record first, then run: `state` is how the schedule stands once the slot is taken.
// Answered by exactly one Planner::on_finished(), also when the slot turns out to be taken or recording it fails.
struct Start {
    std::string job;
    base::Instant slot;
    bool catch_up = false;
    // A slot of a periodic job that comes a second time since the clock was set back (by 3 h at most). It may have run
    // before, and runs again: recorded as a run without a slot. state.anchor stays above it.
    bool repeated = false;
    catalog::JobState state;
    std::string milestone{};  // the name of the date that the slot is; empty: none
    bool operator==(const Start&) const = default;
};

// This slot does not run. `state` settles it: to be recorded in one step with the word that it was skipped.
struct Skip {
    enum class Reason {
        still_running,   // overlap: skip, and a run of the job is going on
        superseded,      // it waited for a run to end or was missed, and a later one took its place
        not_caught_up,   // missed, and the policy is skip
        too_late,        // missed, and the window of `once within` is over
        paused,          // it waited, for a run or for its jitter to be over, when the job was paused
        edited,          // likewise, when an edit of the schedule or time zone left no such fire
        clock_set_back,  // it waited when the clock was set back by hours
    };
    std::string job;
    base::Instant slot;
    Reason reason{};
    catalog::JobState state;
    std::string milestone{};  // the name of the date that the slot is; empty: none, or struck out
    bool operator==(const Skip&) const = default;
};
// The reason in words: "the last run is still going on".
[[nodiscard]] std::string_view reason_text(Skip::Reason reason) noexcept;

// Fires that passed while nobody looked, for the log and an alert. What becomes of the latest follows as Start or Skip,
// of milestones what becomes of each.
struct Missed {
    std::string job;
    std::uint64_t count = 0;
    bool more = false;  // there were more; counting stops somewhere
    base::Instant latest;
    bool operator==(const Missed&) const = default;
};

// Write the state to the catalog: the job is new, edited, paused, resumed, or its anchor was moved (by a clock that was
// set, or by new rules of its zone).
struct Anchor {
    catalog::JobState state;
    std::string why;  // a lower-case fact: "new job"
    bool operator==(const Anchor&) const = default;
};

// The job is gone from the configuration; so should its schedule state be.
struct Forget {
    std::string job;
    bool operator==(const Forget&) const = default;
};

// A new version of the job's time zone moved its next slot.
struct Moved {
    std::string job;
    std::optional<base::Instant> from, to;
    bool operator==(const Moved&) const = default;
};

// What a person should know of the clock.
struct Warning {
    std::string message;
    std::string hint;
    bool operator==(const Warning&) const = default;
};

using Action = std::variant<Start, Skip, Missed, Anchor, Forget, Moved, Warning>;

}  // namespace pgbakd::scheduler
