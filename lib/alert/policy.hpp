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

inline constexpr std::chrono::hours longest_wait{7 * 24};
inline constexpr std::size_t digest_from = 10;      // that many or more become one message
inline constexpr std::size_t most_in_digest = 500;  // the others follow in the next

// One alert in the outbox of a channel.
struct Waiting {
    model::Alert alert;
    base::Timestamp created_at{};    // when it was put there
    int attempts = 0;                // that failed
    base::Timestamp next_attempt{};  // the epoch: at once
};

enum class Merging {
    digests,     // many become one message
    last_state,  // of each job and kind only the newest is worth telling, one after another: heartbeats
};
[[nodiscard]] Merging merging_of(const model::ChannelSpec& channel) noexcept;

// Indices into what waits.
struct Step {
    std::vector<std::size_t> expired;     // too old to be told: taken out, and that is told elsewhere
    std::vector<std::size_t> superseded;  // the same as a newer one: taken out
    std::vector<std::size_t> send;        // now, as one message, oldest first
    // When to look again: nothing is to be sent before. Nothing: nothing waits, or something is to be sent now.
    std::optional<base::Timestamp> wake;
    friend bool operator==(const Step&, const Step&) = default;
};

// `waiting`: oldest first. Nothing is sent before the channel's own pause is over, nor before the next attempt of any
// that failed: a channel that is away is not asked more often because more is to be told. Alerts of one finding keep
// their order; of those alike (finding, job, place, set and kind) the newest remains.
[[nodiscard]] Step next_step(const std::vector<Waiting>& waiting, Merging merging, base::Timestamp now,
                             base::Timestamp not_before = {});

// Whether it is taken out of the outbox: delivered, or rejected (which is told elsewhere).
[[nodiscard]] bool is_settled(const Delivery& delivery) noexcept;

// The next attempt after this one, which was number `attempts` (from 1): exponential backoff with full jitter, `random`
// being any number. Up to a quarter of an hour for a passing cause, and up to an hour where somebody has to mend
// something; never before what the channel asked for.
[[nodiscard]] base::Timestamp next_attempt(const Delivery& delivery, int attempts, base::Timestamp now,
                                           std::uint64_t random);

}  // namespace pgbakd::alert
