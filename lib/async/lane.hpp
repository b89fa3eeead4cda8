// A lane: chunks consumed in order on the pool, one at a time, beside other lanes that read the same chunks. How much
// waits in a lane is bounded by the BufferPool its chunks come from, or by whoever pushes and looks at backlog().
#pragma once

#include <deque>
#include <functional>
#include <span>

#include "async/buffers.hpp"
#include "async/pool.hpp"

namespace pgbakd::async {

class Lane {
  public:
    using Consume = std::function<void(std::span<const std::byte>)>;
    // `consume` runs on the pool and throws to fail the lane; `on_failure` is then called on the reactor, once.
    // `on_progress` (may be empty) is called there whenever more was consumed.
    Lane(const asio::any_io_executor& executor, Pool& pool, Consume consume, std::function<void()> on_failure,
         std::function<void()> on_progress = {});
    Lane(Lane&&) = delete;
    Lane& operator=(Lane&&) = delete;
    // Idle or failed: drain() first.
    ~Lane();

    void push(Chunk chunk);
    // Bytes that were pushed and are not known to be consumed yet.
    [[nodiscard]] std::size_t backlog() const noexcept { return backlog_; }
    // Until everything pushed was consumed, or the lane failed; then throws its failure. What was pushed and not yet
    // consumed when it failed is dropped.
    asio::awaitable<void> drain();
    // Until no job of this lane is on the pool; never throws.
    asio::awaitable<void> quiesce();

  private:
    struct Batch;
    void start();
    void finished(const std::shared_ptr<Batch>& batch);

    asio::any_io_executor executor_;
    Pool& pool_;
    Consume consume_;
    std::function<void()> on_failure_, on_progress_;
    Event idle_;
    std::deque<Chunk> waiting_;
    std::size_t backlog_ = 0;
    bool busy_ = false;
    std::exception_ptr failure_;
};

}  // namespace pgbakd::async
