// Compresses pieces on several pool threads at once and hands them on in their order.
#pragma once

#include <memory>
#include <vector>

#include "codec/compress.hpp"
#include "run/compressor.hpp"
#include "run/in_order.hpp"

namespace pgbakd::run {

// Each chunk becomes a gzip member or a zstd frame.
class ParallelCompressor final : public Compressor {
  public:
    // `width`: how many pieces are in work at once, at least 1.
    ParallelCompressor(const asio::any_io_executor& executor, async::Pool& pool, const codec::Compression& compression,
                       std::size_t width);
    ~ParallelCompressor() override;

    asio::awaitable<void> push(async::Chunk piece, Output out, async::StopToken stop) override;
    asio::awaitable<void> flush(Output out, async::StopToken stop) override;
    asio::awaitable<void> quiesce() override;

  private:
    class Piece;
    asio::awaitable<void> take_first(Output out, async::StopToken stop);

    codec::Compression compression_;
    InOrder<Piece> in_work_;
    std::vector<std::unique_ptr<codec::PieceCompressor>> idle_;
};

}  // namespace pgbakd::run
