#include "async/buffers.hpp"

#include <mutex>
#include <utility>

namespace pgbakd::async {

struct BufferPool::State {
    State(asio::any_io_executor executor_, std::size_t count, std::size_t size_)
        : executor(executor_), size(size_), unmade(count), freed(std::move(executor_)) {}

    asio::any_io_executor executor;
    std::size_t size;
    std::size_t unmade;  // buffers not allocated yet: a small stream never allocates all
    Event freed;
    std::mutex mutex;  // the last reference may be dropped on a pool thread
    std::vector<std::vector<std::byte>> free;
};

BufferPool::BufferPool(asio::any_io_executor executor, std::size_t count, std::size_t size)
    : state_(std::make_shared<State>(std::move(executor), count, size)) {}

std::size_t BufferPool::size() const noexcept {
    return state_->size;
}

asio::awaitable<std::shared_ptr<std::vector<std::byte>>> BufferPool::take(StopToken stop) {
    const auto state = state_;
    auto storage = std::make_unique<std::vector<std::byte>>();
    for (;;) {
        stop.check();
        {
            const std::lock_guard lock(state->mutex);
            if (!state->free.empty()) {
                *storage = std::move(state->free.back());
                state->free.pop_back();
                break;
            }
        }
        if (state->unmade > 0) {
            --state->unmade;
            storage->reserve(state->size);
            break;
        }
        co_await state->freed.wait(stop);
    }
    storage->clear();
    const auto give_back = [state](std::vector<std::byte>* buffer) {
        {
            const std::lock_guard lock(state->mutex);
            state->free.push_back(std::move(*buffer));
        }
        delete buffer;
        asio::post(state->executor, [state] { state->freed.notify(); });
    };
    co_return std::shared_ptr<std::vector<std::byte>>(storage.release(), give_back);
}

}  // namespace pgbakd::async
