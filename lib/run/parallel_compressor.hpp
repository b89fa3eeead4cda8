// Compresses pieces on several pool threads at once and hands them on in their order.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "async/buffers.hpp"
#include "async/pool.hpp"
#include "codec/compress.hpp"

namespace pgbakd::run {

class ParallelCompressor {
  public:
    // `width`: how many pieces are in work at once, at least 1.
    ParallelCompressor(asio::any_io_executor executor, async::Pool& pool, const codec::Compression& compression,
                       std::size_t width);
    ~ParallelCompressor();

    // Takes a piece; waits while `width` are in work. What is ready goes to `out`, in order.
    asio::awaitable<void> push(async::Chunk piece, std::function<void(async::Chunk)> out, async::StopToken stop);
    // The rest.
    asio::awaitable<void> flush(std::function<void(async::Chunk)> out, async::StopToken stop);
    // After a failure: waits until the pool has let go of every piece. Never throws.
    asio::awaitable<void> quiesce();

  private:
    class Piece;
    asio::awaitable<void> take_first(std::function<void(async::Chunk)> out, async::StopToken stop);

    asio::any_io_executor executor_;
    async::Pool& pool_;
    codec::Compression compression_;
    std::size_t width_;
    async::Event done_;
    std::deque<std::shared_ptr<Piece>> in_work_;
    std::vector<std::unique_ptr<codec::PieceCompressor>> idle_;
};

}  // namespace pgbakd::run
