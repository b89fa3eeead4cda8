#include "target/rate.hpp"

#include <algorithm>

#include "async/timer.hpp"
#include "target/forwarding.hpp"

namespace pgbakd::target {

std::chrono::nanoseconds TokenBucket::take(std::uint64_t bytes, base::SteadyTime now) noexcept {
    if (rate_ == 0) {
        paid_until_ = {};
        return std::chrono::nanoseconds::zero();
    }
    paid_until_ = std::max(paid_until_, now - burst);
    const std::chrono::duration<double> cost(static_cast<double>(bytes) / static_cast<double>(rate_));
    paid_until_ += std::chrono::duration_cast<std::chrono::nanoseconds>(cost);
    return std::max<std::chrono::nanoseconds>(paid_until_ - now, std::chrono::nanoseconds::zero());
}

asio::awaitable<void> RateLimiter::acquire(std::uint64_t bytes, async::StopToken stop) {
    stop.check();
    const auto pause = std::chrono::ceil<std::chrono::milliseconds>(bucket_.take(bytes, clock_.steady()));
    if (pause > std::chrono::milliseconds::zero()) co_await async::sleep_for(pause, std::move(stop));
}

namespace {

class LimitedUpload final : public ForwardingUpload {
  public:
    LimitedUpload(std::unique_ptr<Upload> inner, std::shared_ptr<RateLimiter> limiter)
        : ForwardingUpload(std::move(inner)), limiter_(std::move(limiter)) {}

    asio::awaitable<void> write(async::Chunk chunk, async::StopToken stop) override {
        co_await limiter_->acquire(chunk->size(), stop);
        co_await inner().write(std::move(chunk), stop);
    }

  private:
    std::shared_ptr<RateLimiter> limiter_;
};

class LimitedTarget final : public ForwardingTarget {
  public:
    LimitedTarget(std::shared_ptr<Target> inner, std::shared_ptr<RateLimiter> limiter)
        : ForwardingTarget(std::move(inner)), limiter_(std::move(limiter)) {}

    asio::awaitable<std::unique_ptr<Upload>> put(std::string key, PutOptions options, async::StopToken stop) override {
        auto upload = co_await inner().put(std::move(key), std::move(options), std::move(stop));
        co_return std::make_unique<LimitedUpload>(std::move(upload), limiter_);
    }

  private:
    std::shared_ptr<RateLimiter> limiter_;
};

}  // namespace

std::shared_ptr<Target> with_rate_limit(std::shared_ptr<Target> inner, std::shared_ptr<RateLimiter> limiter) {
    return std::make_shared<LimitedTarget>(std::move(inner), std::move(limiter));
}

}  // namespace pgbakd::target
