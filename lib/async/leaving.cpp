#include "async/leaving.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "async/event.hpp"
#include "async/timer.hpp"
#include "base/units.hpp"

namespace pgbakd::async {
namespace {

// What the thread of a job tells, on the reactor.
struct Ending {
    explicit Ending(const asio::any_io_executor& executor) : changed(executor) {}
    bool ended = false;
    Event changed;
};

asio::awaitable<void> wait_for_end(Ending& ending, StopToken stop) {
    while (!ending.ended) co_await ending.changed.wait(stop);
}

// Whether it ended before that.
asio::awaitable<bool> ends_within(std::shared_ptr<Ending> ending, std::chrono::milliseconds limit, StopToken stop) {
    const auto executor = co_await asio::this_coro::executor;
    const Deadline deadline(executor, stop, limit, "a job");
    try {
        co_await wait_for_end(*ending, deadline.token());
    } catch (const base::Error&) {
        co_return ending->ended;
    }
    co_return true;
}

}  // namespace

// The way from a job's thread to the reactor. Once it is cut the thread touches nothing of the reactor any more, which
// may be gone by the time that the job ends.
class LeavingJob::Link {
  public:
    Link(std::shared_ptr<LeavingJob> job, const asio::any_io_executor& executor, std::shared_ptr<Ending> ending)
        : job_(std::move(job)), tracked_(asio::prefer(executor, asio::execution::outstanding_work.tracked)) {
        job_->tell_ = [executor, ending = std::move(ending)] {
            asio::post(executor, [ending] {
                ending->ended = true;
                ending->changed.notify();
            });
        };
    }
    Link(const Link&) = delete;
    Link& operator=(const Link&) = delete;
    ~Link() { (void)leave(); }

    // False: it has ended just now, and is not left.
    bool leave() {
        const std::lock_guard lock(job_->mutex_);
        job_->tell_ = nullptr;
        if (job_->state_ == State::ended) return false;
        const bool is_new = !job_->waiting_.left_.exchange(true);
        if (is_new && job_->state_ == State::running) job_->pool_.add_left(1);
        return true;
    }

  private:
    std::shared_ptr<LeavingJob> job_;
    asio::any_io_executor tracked_;  // keeps the reactor's run() from returning
};

void LeavingJob::perform() noexcept {
    {
        const std::lock_guard lock(mutex_);
        if (waiting_.left()) return;
        state_ = State::running;
        waiting_.step();
    }
    try {
        run(waiting_);
    } catch (...) {
        failure_ = std::current_exception();
    }
    const std::lock_guard lock(mutex_);
    state_ = State::ended;
    if (waiting_.left()) pool_.add_left(-1);
    if (tell_) tell_();
    tell_ = nullptr;
}

// Since when nothing has moved: before it is begun, nothing of what is before it.
Waiting::Clock::duration LeavingJob::idle() const {
    const Waiting::Clock::time_point moved{Waiting::Clock::duration(waiting_.moved_.load(std::memory_order_relaxed))};
    return Waiting::Clock::now() - std::max(moved, state_ == State::queued ? pool_.last_end() : moved);
}

asio::awaitable<void> LeavingJob::done(Patience patience) {
    patience.stop.check();
    const auto executor = co_await asio::this_coro::executor;
    const auto ending = std::make_shared<Ending>(executor);
    const auto self = shared_from_this();
    Link link(self, executor, ending);
    waiting_.step();
    const std::function<void()> work = [self] { self->perform(); };
    pool_.run(work);
    for (bool ended = false; !ended;) {
        auto left = patience.stall;
        if (left.count() > 0) {
            const std::lock_guard lock(mutex_);
            const auto idle_for = std::chrono::floor<std::chrono::milliseconds>(idle());
            left = std::max(patience.stall - idle_for, std::chrono::milliseconds(1));
        }
        ended = co_await ends_within(ending, left, patience.stop);
        if (ended) break;
        const bool stopped = patience.stop.stopped();
        if (stopped && patience.after_stop.count() > 0) ended = co_await ends_within(ending, patience.after_stop, {});
        if (ended) break;
        if (!stopped) {
            const std::lock_guard lock(mutex_);
            if (idle() < patience.stall) continue;
        }
        if (!link.leave()) break;
        patience.stop.check();
        throw base::Error(base::ErrorCode::timed_out,
                          fmt::format("{} has not moved for {}", patience.what, base::format_duration(patience.stall)),
                          {}, base::Persistence::passing);
    }
    if (failure_) std::rethrow_exception(failure_);
}

}  // namespace pgbakd::async
