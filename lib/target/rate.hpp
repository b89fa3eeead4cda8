// The limit on what goes out, over all targets together: a token bucket, and the decorator that asks it.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>

#include "base/clock.hpp"
#include "target/target.hpp"

namespace pgbakd::target {

// Pure: time passed in. Holds up to a quarter of a second's worth of bytes, so that an idle link bursts little.
class TokenBucket {
  public:
    static constexpr std::chrono::milliseconds burst{250};

    // 0 bytes per second: no limit.
    explicit TokenBucket(std::uint64_t bytes_per_second) noexcept : rate_(bytes_per_second) {}
    void set_rate(std::uint64_t bytes_per_second) noexcept { rate_ = bytes_per_second; }
    // Takes `bytes` of it, more than it holds if need be, and gives how long the taker has to wait for them. So takers
    // are served in the order in which they came, whatever they take.
    [[nodiscard]] std::chrono::nanoseconds take(std::uint64_t bytes, base::SteadyTime now) noexcept;

  private:
    std::uint64_t rate_;
    base::SteadyTime paid_until_{};  // when what was taken so far will have been earned
};

// One for the daemon. Reactor thread only.
class RateLimiter {
  public:
    RateLimiter(const base::Clock& clock, std::uint64_t bytes_per_second) : clock_(clock), bucket_(bytes_per_second) {}
    // For what comes from now on: 0 is no limit.
    void set_rate(std::uint64_t bytes_per_second) noexcept { bucket_.set_rate(bytes_per_second); }
    // Returns when `bytes` may be sent.
    asio::awaitable<void> acquire(std::uint64_t bytes, async::StopToken stop);

  private:
    const base::Clock& clock_;
    TokenBucket bucket_;
};

// `inner` with the bytes of its uploads held back; what it sends a second time is not counted again.
[[nodiscard]] std::shared_ptr<Target> with_rate_limit(std::shared_ptr<Target> inner,
                                                      std::shared_ptr<RateLimiter> limiter);

}  // namespace pgbakd::target
