// Jobs of one kind on the pool, several at once, whose results are taken in the order in which they went there.
#pragma once

#include <algorithm>
#include <deque>
#include <memory>

#include "async/event.hpp"
#include "async/pool.hpp"

namespace pgbakd::run {

// Reactor thread only. `Job` is an async::Pool::Job. Before it is destroyed: all taken, or quiesce().
template <class Job>
class InOrder {
  public:
    // `width`: how many are on the pool at once, or wait there to be taken; at least 1.
    InOrder(const asio::any_io_executor& executor, async::Pool& pool, std::size_t width)
        : executor_(executor), pool_(pool), width_(std::max<std::size_t>(1, width)), done_(executor) {}

    [[nodiscard]] bool empty() const noexcept { return in_work_.empty(); }
    [[nodiscard]] bool full() const noexcept { return in_work_.size() >= width_; }
    void submit(std::shared_ptr<Job> job) {
        auto work = std::make_shared<Work>(Work{std::move(job), false});
        in_work_.push_back(work);
        pool_.submit(work->job, executor_, [this, work] {
            work->done = true;
            done_.notify();
        });
    }
    // Until the first is done; rethrows what it threw.
    asio::awaitable<std::shared_ptr<Job>> take(async::StopToken stop) {
        const auto work = in_work_.front();
        while (!work->done) co_await done_.wait(stop);
        in_work_.pop_front();
        if (work->job->failure) std::rethrow_exception(work->job->failure);
        co_return work->job;
    }
    // After a failure: waits until the pool has let go of every job. Never throws.
    asio::awaitable<void> quiesce() {
        for (const auto& work : in_work_)
            while (!work->done) co_await done_.wait();
        in_work_.clear();
    }

  private:
    struct Work {
        std::shared_ptr<Job> job;
        bool done = false;
    };
    asio::any_io_executor executor_;
    async::Pool& pool_;
    std::size_t width_;
    async::Event done_;
    std::deque<std::shared_ptr<Work>> in_work_;
};

}  // namespace pgbakd::run
