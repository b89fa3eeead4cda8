#include "async/lane.hpp"

#include <cassert>
#include <utility>

namespace pgbakd::async {

struct Lane::Batch final : Pool::Job {
    Batch(std::deque<Chunk> chunks_, const Consume& consume_) : chunks(std::move(chunks_)), consume(consume_) {}
    void run() override {
        while (!chunks.empty()) {
            consume(*chunks.front());
            chunks.pop_front();
        }
    }
    std::deque<Chunk> chunks;
    const Consume& consume;
    std::size_t bytes = 0;
};

Lane::Lane(const asio::any_io_executor& executor, Pool& pool, Consume consume, std::function<void()> on_failure,
           std::function<void()> on_progress)
    : executor_(executor),
      pool_(pool),
      consume_(std::move(consume)),
      on_failure_(std::move(on_failure)),
      on_progress_(std::move(on_progress)),
      idle_(executor) {}

Lane::~Lane() {
    assert(!busy_ && "a lane must be quiet before it is destroyed");
}

void Lane::push(Chunk chunk) {
    if (failure_) return;
    backlog_ += chunk->size();
    waiting_.push_back(std::move(chunk));
    if (!busy_) start();
}

void Lane::start() {
    busy_ = true;
    auto batch = std::make_shared<Batch>(std::exchange(waiting_, {}), consume_);
    for (const auto& chunk : batch->chunks) batch->bytes += chunk->size();
    pool_.submit(batch, executor_, [this, batch] { finished(batch); });
}

void Lane::finished(const std::shared_ptr<Batch>& batch) {
    busy_ = false;
    backlog_ -= batch->bytes;
    if (batch->failure) {
        backlog_ = 0;
        batch->chunks.clear();
        waiting_.clear();
        failure_ = batch->failure;
        if (on_failure_) on_failure_();
    } else {
        // Before the next batch: until then nothing runs beside whoever looks at what was consumed.
        if (on_progress_) on_progress_();
        if (!waiting_.empty()) start();
    }
    if (!busy_) idle_.notify();
}

asio::awaitable<void> Lane::drain() {
    co_await quiesce();
    if (failure_) std::rethrow_exception(failure_);
}

asio::awaitable<void> Lane::quiesce() {
    while (busy_) co_await idle_.wait();
}

}  // namespace pgbakd::async
