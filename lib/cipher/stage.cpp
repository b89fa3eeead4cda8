#include "cipher/stage.hpp"

#include <utility>

namespace pgbakd::cipher {
namespace {

constexpr std::size_t most_waiting = std::size_t{4} << 20U;  // bytes

}  // namespace

Stage::Stage(const asio::any_io_executor& executor, const os::Command& command, Explain explain)
    : explain_(std::move(explain)), child_(executor, command), changed_(executor) {}

void Stage::push(async::Chunk chunk) {
    waiting_bytes_ += chunk->size();
    waiting_.push_back(std::move(chunk));
    changed_.notify();
}

asio::awaitable<void> Stage::wait_room(async::StopToken stop) {
    while (waiting_bytes_ > most_waiting && !failed_) co_await changed_.wait(stop);
    if (failed_) co_await finish(stop);
}

asio::awaitable<void> Stage::feed(async::StopToken stop) {
    std::exception_ptr failure;
    try {
        for (;;) {
            while (waiting_.empty() && !closed_) co_await changed_.wait(stop);
            if (waiting_.empty()) break;
            const auto chunk = waiting_.front();
            co_await child_.write(*chunk, stop);
            waiting_.pop_front();
            waiting_bytes_ -= chunk->size();
            changed_.notify();
        }
        child_.close_input();
    } catch (...) {
        failure = std::current_exception();
    }
    if (!failure) co_return;
    // Not stopped: it has ended before its time, and finish() knows why.
    failed_ = true;
    changed_.notify();
    if (stop.stopped()) std::rethrow_exception(failure);
}

void Stage::close() {
    closed_ = true;
    changed_.notify();
}

asio::awaitable<std::size_t> Stage::read(std::span<std::byte> into, async::StopToken stop) {
    return child_.read(into, std::move(stop));
}

asio::awaitable<void> Stage::finish(async::StopToken stop) {
    const auto ending = co_await child_.finish(std::move(stop));
    if (ending.good() && !failed_) co_return;
    const auto error = explain_(ending, child_.error_text());
    throw base::Error(error);
}

asio::awaitable<void> Stage::abort() {
    co_await child_.abort();
}

}  // namespace pgbakd::cipher
