// What a target is doing and has done, for `status`: counted on the way through, read at any time.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "target/target.hpp"

namespace pgbakd::target {

// Reactor thread only.
struct Meter {
    struct Sending {
        std::string key;
        std::uint64_t bytes = 0;            // of it that the target has taken
        std::uint64_t begun_at = 0;         // of them, those that it had from before
        std::optional<std::uint64_t> of{};  // the whole, where it is known
        base::Timestamp started{};
        // Since then the target has had something to take, or to end, and has not come back; nothing: it waits for us.
        std::optional<base::Timestamp> offered{};
    };
    std::map<std::uint64_t, Sending> sending;  // by a number of its own, in the order in which they began
    std::uint64_t uploads = 0;                 // finished
    std::uint64_t bytes_sent = 0;              // by write(), aborted uploads included
    std::uint64_t bytes_received = 0;
    std::chrono::nanoseconds time_sending{0};  // in write() and finish(), summed over all uploads
    std::uint64_t failures = 0;                // of any operation; stops are none
    std::optional<base::Error> last_failure;   // until an operation succeeds
    bool stall_told = false;                   // somebody was told that it stalls, likewise
    base::Timestamp last_failed{};
    base::Timestamp last_succeeded{};
};

// `inner` with what passes through it entered into `meter`. The clock must outlive it.
[[nodiscard]] std::shared_ptr<Target> with_meter(std::shared_ptr<Target> inner, std::shared_ptr<Meter> meter,
                                                 const base::Clock& clock);

}  // namespace pgbakd::target
