#include "run/parallel_compressor.hpp"

#include <utility>

namespace pgbakd::run {

class ParallelCompressor::Piece final : public async::Pool::Job {
  public:
    Piece(async::Chunk raw, std::unique_ptr<codec::PieceCompressor> compressor_)
        : compressor(std::move(compressor_)), raw_(std::move(raw)) {}
    void run() override {
        compressed = compressor->compress(*raw_);
        raw_.reset();  // its buffer can take the next bytes
    }
    std::unique_ptr<codec::PieceCompressor> compressor;
    std::vector<std::byte> compressed;

  private:
    async::Chunk raw_;
};

ParallelCompressor::ParallelCompressor(const asio::any_io_executor& executor, async::Pool& pool,
                                       const codec::Compression& compression, std::size_t width)
    : compression_(compression), in_work_(executor, pool, width) {}

ParallelCompressor::~ParallelCompressor() = default;

asio::awaitable<void> ParallelCompressor::push(async::Chunk raw, Output out, async::StopToken stop) {
    while (in_work_.full()) co_await take_first(out, stop);
    std::unique_ptr<codec::PieceCompressor> compressor;
    if (idle_.empty()) {
        compressor = std::make_unique<codec::PieceCompressor>(compression_);
    } else {
        compressor = std::move(idle_.back());
        idle_.pop_back();
    }
    in_work_.submit(std::make_shared<Piece>(std::move(raw), std::move(compressor)));
}

asio::awaitable<void> ParallelCompressor::take_first(Output out, async::StopToken stop) {
    const auto piece = co_await in_work_.take(stop);
    idle_.push_back(std::move(piece->compressor));
    out(std::make_shared<const std::vector<std::byte>>(std::move(piece->compressed)));
}

asio::awaitable<void> ParallelCompressor::flush(Output out, async::StopToken stop) {
    while (!in_work_.empty()) co_await take_first(out, stop);
}

asio::awaitable<void> ParallelCompressor::quiesce() {
    return in_work_.quiesce();
}

}  // namespace pgbakd::run
