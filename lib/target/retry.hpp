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
    std::function<std::uint64_t()> random;  // any numbers; must be set
};

// Calls `attempt` until it succeeds or fails for good, with the policy's pauses; then throws its last failure.
template <class T>
asio::awaitable<T> retried(RetryPolicy policy, std::function<asio::awaitable<T>()> attempt, async::StopToken stop) {
    async::Backoff backoff(policy.attempts, policy.first, policy.most);
    for (;;) {
        stop.check();
        std::exception_ptr failure;
        std::optional<T> value;
        try {
            value.emplace(co_await attempt());
        } catch (const base::Error&) {
            failure = std::current_exception();
        }
        if (!failure) co_return std::move(*value);
        const auto pause = backoff.after(base::to_error(failure), policy.random());
        if (!pause) std::rethrow_exception(failure);
        co_await async::sleep_for(*pause, stop);
    }
}

// `inner` with its operations repeated after passing failures; a get() goes on behind what its sink has had. An upload
// is begun again, but its bytes are not kept: what can send a part of it twice (S3) follows the policy inside, and is
// then handed out with put() as it is.
[[nodiscard]] std::shared_ptr<Target> with_retry(std::shared_ptr<Target> inner, RetryPolicy policy);

}  // namespace pgbakd::target
