// An artifact that is kept nowhere but on its targets: one target's share of the stream, in memory until it is sent.
// Its writer must wait for its reader, which is the price of a run that needs no disk.
#pragma once

#include <deque>

#include "offsite/growing.hpp"

namespace pgbakd::offsite {

// Reactor thread only; one reader.
class GrowingBuffer final : public Growing {
  public:
    // How many bytes may wait, beyond the chunk that goes above that.
    static constexpr std::uint64_t limit = std::uint64_t{16} << 20U;

    // `taken` is told whenever its reader has taken something or gives up; several buffers may share one.
    GrowingBuffer(const asio::any_io_executor& executor, std::string name, std::shared_ptr<async::Event> taken)
        : Growing(executor, std::move(name), Kept::nowhere), taken_(std::move(taken)) {}

    // --- the writer ---
    void push(async::Chunk chunk);
    // Its writer should wait.
    [[nodiscard]] bool is_full() const noexcept { return waiting_bytes_ >= limit; }
    // Its writer waits no longer: whatever the reader is at ends with that reason.
    void leave_behind(const base::Error& reason);
    // How that reason gets to a reader that is not reading right now. Set by who reads.
    std::function<void(const base::Error&)> on_left_behind;

    // --- the reader ---
    // It compares by reading the whole object, as there is nothing to take samples of. Once it is destroyed nobody
    // reads any more.
    asio::awaitable<std::unique_ptr<Reading>> open(async::Pool& pool) override;
    // What waits is dropped, and what comes.
    void give_up() override;
    [[nodiscard]] bool is_given_up() const noexcept { return given_up_; }

  private:
    class BufferReading;
    async::Chunk take(std::size_t at_most);
    std::shared_ptr<async::Event> taken_;
    std::optional<base::Error> left_behind_;
    std::deque<async::Chunk> waiting_;
    std::uint64_t waiting_bytes_ = 0;
    std::uint64_t pushed_ = 0;
    std::size_t used_ = 0;  // of the first chunk that waits
    bool given_up_ = false;
};

}  // namespace pgbakd::offsite
