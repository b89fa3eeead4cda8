// Work that may hang for as long as it likes, as on a mount whose server is away: whoever waits for it leaves after a
// while, and the work stays behind with its thread. So all that it uses is shared with it, and the pool is its own.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "async/pool.hpp"
#include "async/stop.hpp"

namespace pgbakd::async {

// What a job and the one who waits for it know of each other. step() and left() are the job's.
class Waiting {
  public:
    using Clock = std::chrono::steady_clock;

    // It makes progress: what is waited for is its next step.
    void step() noexcept { moved_.store(Clock::now().time_since_epoch().count(), std::memory_order_relaxed); }
    // Nobody waits for it any more: it does nothing that can still be spared.
    [[nodiscard]] bool left() const noexcept { return left_.load(); }

  private:
    friend class LeavingJob;
    std::atomic<bool> left_{false};
    std::atomic<Clock::rep> moved_{0};
};

struct Patience {
    std::string what;                         // "writing to /mnt/nas"
    std::chrono::milliseconds stall{0};       // without a step, and in a pool without an end of another job; 0: none
    std::chrono::milliseconds after_stop{0};  // for what is nearly done, so that it need not be left behind
    StopToken stop;
};

// A job that can be left. Not begun by then, it never runs; else the pool counts it as left until it ends.
class LeavingJob : public std::enable_shared_from_this<LeavingJob> {
  public:
    explicit LeavingJob(Pool& pool) : pool_(pool) {}
    LeavingJob(const LeavingJob&) = delete;
    LeavingJob& operator=(const LeavingJob&) = delete;
    virtual ~LeavingJob() = default;

    // Returns when it has ended, and rethrows what it threw; or leaves it, with the reason of the stop, or with
    // timed_out (passing).
    asio::awaitable<void> done(Patience patience);

  protected:
    virtual void run(Waiting& waiting) = 0;

  private:
    class Link;
    enum class State { queued, running, ended };
    void perform() noexcept;
    [[nodiscard]] Waiting::Clock::duration idle() const;

    Pool& pool_;
    Waiting waiting_;
    std::mutex mutex_;
    State state_ = State::queued;
    std::function<void()> tell_;  // the one who waits
    std::exception_ptr failure_;
};

namespace detail {

template <class Function, class Value>
class LeavingFunction final : public LeavingJob {
  public:
    LeavingFunction(Pool& pool, const Function& function) : LeavingJob(pool), function_(function) {}
    std::optional<Value> value;

  private:
    void run(Waiting& waiting) override { value.emplace(function_(waiting)); }
    Function function_;
};

template <class Function>
class LeavingFunction<Function, void> final : public LeavingJob {
  public:
    LeavingFunction(Pool& pool, const Function& function) : LeavingJob(pool), function_(function) {}

  private:
    void run(Waiting& waiting) override { function_(waiting); }
    Function function_;
};

template <class Function, class Value>
asio::awaitable<Value> finish_or_leave(std::shared_ptr<LeavingFunction<Function, Value>> job, Patience patience) {
    co_await job->done(patience);
    if constexpr (!std::is_void_v<Value>) co_return std::move(*job->value);
}

}  // namespace detail

// Runs a copy of `function` on the pool; its value or exception comes back to the coroutine, unless patience ends
// before. Temporaries do not compile, as with run_blocking().
template <class Function>
[[nodiscard]] auto run_leaving(Pool& pool, const Function& function, Patience patience)
    -> asio::awaitable<std::invoke_result_t<Function&, Waiting&>> {
    using Value = std::invoke_result_t<Function&, Waiting&>;
    return detail::finish_or_leave<Function, Value>(
        std::make_shared<detail::LeavingFunction<Function, Value>>(pool, function), std::move(patience));
}
template <class Function>
void run_leaving(Pool& pool, const Function&& function, Patience patience) = delete;

}  // namespace pgbakd::async
