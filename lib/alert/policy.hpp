// What to do with the alerts that wait for one channel: pure decisions about its outbox.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "alert/channel.hpp"
#include "base/clock.hpp"
#include "model/alert.hpp"

namespace pgbakd::alert {

// An alert is given up when its next attempt would come later than that, and that many have failed at least: a clock
// that is set forward, or a host that was off, gives up nothing that was hardly tried.
inline constexpr std::chrono::hours longest_wait{7 * 24};
inline constexpr int least_attempts = 10;
inline constexpr std::size_t digest_from = 10;      // that many or more become one message
inline constexpr std::size_t most_in_digest = 500;  // the others follow in the next

// One alert in the outbox of a channel.
struct Waiting {
    model::Alert alert;
    base::Timestamp created_at{};    // when it was put there
    int attempts = 0;                // at its channel that failed while it waited
    base::Timestamp next_attempt{};  // by our own backoff; the epoch: at once
};

enum class Merging {
    digests,     // many become one message
    last_state,  // of each job and kind only the newest is worth telling, one after another: heartbeats
};
[[nodiscard]] Merging merging_of(const model::ChannelSpec& channel) noexcept;

// What the channel has asked for: to hear nothing before `until`.
struct Pause {
    base::Timestamp asked_at{};
    base::Timestamp until{};  // the epoch: nothing
    friend bool operator==(const Pause&, const Pause&) = default;
};
// The same by a clock that shows `now`: one that was set back does not make it longer.
[[nodiscard]] Pause by_clock(const Pause& pause, base::Timestamp now) noexcept;

// How much a channel has been told lately. The first message goes at once; what comes soon after it is gathered, for 2
// s, then 4 s, up to a minute. A minute of silence takes one of these steps back.
struct Pace {
    base::Timestamp last{};  // message that it took
    int steps = 0;           // as of then
    friend bool operator==(const Pace&, const Pace&) = default;
};
[[nodiscard]] Pace after_message(const Pace& pace, base::Timestamp now) noexcept;

// Indices into what waits.
struct Step {
    std::vector<std::size_t> expired;     // given up: taken out, and that is told elsewhere
    std::vector<std::size_t> superseded;  // said by another that waits: taken out
    std::vector<std::size_t> send;        // now, as one message, in their order
    // When to look again: nothing is to be sent before. Nothing: nothing waits, or something is to be sent now.
    std::optional<base::Timestamp> wake;
    friend bool operator==(const Step&, const Step&) = default;
};

// `waiting`: in the order in which they are told. Nothing is sent before the channel's own pause is over, nor before
// the next attempt of any that failed: a channel that is away is not asked more often because more is to be told. A
// next attempt that is further away than our backoff goes is of a clock that was set back: it is made at once. Alerts
// of one finding keep their order; of those alike (finding, job, place, set and kind) with no end of it between them
// the newest remains, and so does the end of a run whose start could not be told. `pace` is for digests only: what
// heartbeats hear is never held back. `limit`: the most that one message may hold, from 1.
[[nodiscard]] Step next_step(const std::vector<Waiting>& waiting, Merging merging, base::Timestamp now,
                             const Pause& asked = {}, const Pace& pace = {}, std::size_t limit = most_in_digest);

// The most that the next message may hold, after one of `sent` alerts came to that: one that is too large, or has an
// alert in it that the channel does not take, must not cost the others. Half of what was rejected, down to a single
// alert; twice as many as before when a message was taken.
[[nodiscard]] std::size_t next_limit(std::size_t limit, Delivery::Outcome outcome, std::size_t sent) noexcept;

// Whether it is taken out of the outbox: delivered, or rejected (which is told elsewhere).
[[nodiscard]] bool is_settled(const Delivery& delivery) noexcept;

// How long our own patience is after a failure, the `attempts`-th (from 1): exponential backoff with full jitter,
// `random` being any number. Up to a quarter of an hour for a passing cause, and up to an hour where somebody has to
// mend something. What the channel asks for comes beside it.
[[nodiscard]] std::chrono::milliseconds backoff(Delivery::Outcome outcome, int attempts, std::uint64_t random);

}  // namespace pgbakd::alert
