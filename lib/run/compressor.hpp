// What compresses a part on the way from its source to its file.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "async/buffers.hpp"

namespace pgbakd::run {

// Reactor thread only; the work is done on the pool, with a bounded number of chunks in flight.
class Compressor {
  public:
    using Output = std::function<void(async::Chunk)>;

    Compressor() = default;
    Compressor(const Compressor&) = delete;
    Compressor& operator=(const Compressor&) = delete;
    virtual ~Compressor() = default;

    // Takes a chunk; waits while there is enough in work. What is ready goes to `out`, in order.
    virtual asio::awaitable<void> push(async::Chunk chunk, Output out, async::StopToken stop) = 0;
    // The rest; no more chunks come.
    virtual asio::awaitable<void> flush(Output out, async::StopToken stop) = 0;
    // After a failure: waits until the pool has let go of everything. Never throws.
    virtual asio::awaitable<void> quiesce() = 0;
    // How many bytes were inflated again and found to be what they were, by a compressor that does so.
    [[nodiscard]] virtual std::optional<std::uint64_t> verified_bytes() const { return std::nullopt; }
};

}  // namespace pgbakd::run
