// The one retry of targets: a policy, the loop that follows it, and the decorator that puts the loop around every
// operation that can be repeated.
#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "async/retry.hpp"
#include "async/timer.hpp"
#include "target/target.hpp"

namespace pgbakd::target {

struct RetryPolicy {
    int attempts = 5;  // in all; 1: no retry
    std::chrono::milliseconds first{500};
    std::chrono::milliseconds most = std::chrono::seconds(30);
    // A service that asks for a longer pause is not tried again here: whoever keeps what is owed comes back later.
    std::chrono::milliseconds most_asked = std::chrono::minutes(5);
    std::function<std::uint64_t()> random;  // any numbers; must be set
    std::function<void(const base::Error&)>
        on_retry{};  // told of a failure after which it is tried again; may be empty
};

// A passing failure with which the service asked for a pause (Retry-After, SlowDown).
class Throttled final : public base::Error {
  public:
    Throttled(const base::Error& error, std::chrono::milliseconds pause) : Error(error), pause_(pause) {}
    [[nodiscard]] std::chrono::milliseconds pause() const noexcept { return pause_; }

  private:
    std::chrono::milliseconds pause_;
};

// What the service asked for; none where it did not.
[[nodiscard]] std::chrono::milliseconds pause_asked_for(const base::Error& error) noexcept;

// Calls `attempt` until it succeeds or fails for good, with the policy's pauses, each after what the service asked for;
// then throws its last failure.
template <class T>
asio::awaitable<T> retried(RetryPolicy policy, std::function<asio::awaitable<T>()> attempt, async::StopToken stop) {
    async::Backoff backoff(policy.attempts, policy.first, policy.most);
    for (;;) {
        stop.check();
        std::exception_ptr failure;
        std::optional<T> value;
        std::chrono::milliseconds asked{0};
        try {
            value.emplace(co_await attempt());
        } catch (const base::Error& error) {
            failure = std::current_exception();
            asked = pause_asked_for(error);
        }
        if (!failure) co_return std::move(*value);
        const auto pause = backoff.after(base::to_error(failure), policy.random());
        if (!pause || asked > policy.most_asked) std::rethrow_exception(failure);
        if (policy.on_retry) policy.on_retry(base::to_error(failure));
        // Behind it, not at its end: others were asked for the same.
        co_await async::sleep_for(asked + *pause, stop);
    }
}

// `inner` with its operations repeated after passing failures; a get() goes on behind what its sink has had. An upload
// is begun again, but its bytes are not kept: what can send a part of it twice (S3) follows the policy inside, and is
// then handed out with put() as it is.
[[nodiscard]] std::shared_ptr<Target> with_retry(std::shared_ptr<Target> inner, RetryPolicy policy);

}  // namespace pgbakd::target
