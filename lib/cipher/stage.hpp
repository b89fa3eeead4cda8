// Bytes through a program, on the reactor: what is pushed becomes its input, and its output is read meanwhile.
#pragma once

#include <deque>
#include <functional>
#include <string>

#include "async/buffers.hpp"
#include "async/child.hpp"
#include "async/event.hpp"

namespace pgbakd::cipher {

// Why a program failed: how it ended, and its last words on one line, which may be none.
using Explain = std::function<base::Error(const os::Child::Ending& ending, const std::string& words)>;

// One artifact. The program's command feeds its input.
class Stage {
  public:
    Stage(const asio::any_io_executor& executor, const os::Command& command, Explain explain);

    void push(async::Chunk chunk);
    // Until little of what was pushed still waits. Throws when the program takes no more: finish() tells why.
    asio::awaitable<void> wait_room(async::StopToken stop);
    // Hands on what is pushed, until close(); to be run beside all others.
    asio::awaitable<void> feed(async::StopToken stop);
    void close();
    // What it has made of that; 0 at the end.
    asio::awaitable<std::size_t> read(std::span<std::byte> into, async::StopToken stop);
    // After the end: throws if the program did not end well. What was read is of no worth then.
    asio::awaitable<void> finish(async::StopToken stop);
    // Ends it, at any time. Never throws.
    asio::awaitable<void> abort();

  private:
    Explain explain_;
    async::Child child_;
    async::Event changed_;
    std::deque<async::Chunk> waiting_;
    std::size_t waiting_bytes_ = 0;
    bool closed_ = false;
    bool failed_ = false;
};

}  // namespace pgbakd::cipher
