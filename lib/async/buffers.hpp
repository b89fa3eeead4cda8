// A fixed number of equal buffers: what bounds the memory of a stream, and its back-pressure.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "async/event.hpp"

namespace pgbakd::async {

// Bytes that several lanes may read at once; the storage goes back to its pool when the last lets go of it.
using Chunk = std::shared_ptr<const std::vector<std::byte>>;

class BufferPool {
  public:
    BufferPool(asio::any_io_executor executor, std::size_t count, std::size_t size);
    [[nodiscard]] std::size_t size() const noexcept;

    // An empty buffer with capacity size(); waits until one is free.
    asio::awaitable<std::shared_ptr<std::vector<std::byte>>> take(StopToken stop);

  private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace pgbakd::async
