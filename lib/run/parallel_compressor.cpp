#include "run/parallel_compressor.hpp"

#include <algorithm>
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
    bool done = false;  // reactor only

  private:
    async::Chunk raw_;
};

ParallelCompressor::ParallelCompressor(asio::any_io_executor executor, async::Pool& pool,
                                       const codec::Compression& compression, std::size_t width)
    : executor_(executor),
      pool_(pool),
      compression_(compression),
      width_(std::max<std::size_t>(1, width)),
      done_(std::move(executor)) {}

ParallelCompressor::~ParallelCompressor() = default;

asio::awaitable<void> ParallelCompressor::push(async::Chunk raw, std::function<void(async::Chunk)> out,
                                               async::StopToken stop) {
    while (in_work_.size() >= width_) co_await take_first(out, stop);
    std::unique_ptr<codec::PieceCompressor> compressor;
    if (idle_.empty()) {
        compressor = std::make_unique<codec::PieceCompressor>(compression_);
    } else {
        compressor = std::move(idle_.back());
        idle_.pop_back();
    }
    auto piece = std::make_shared<Piece>(std::move(raw), std::move(compressor));
    in_work_.push_back(piece);
    pool_.submit(piece, executor_, [this, piece] {
        piece->done = true;
        done_.notify();
    });
}

asio::awaitable<void> ParallelCompressor::take_first(std::function<void(async::Chunk)> out, async::StopToken stop) {
    const auto piece = in_work_.front();
    while (!piece->done) co_await done_.wait(stop);
    in_work_.pop_front();
    idle_.push_back(std::move(piece->compressor));
    if (piece->failure) std::rethrow_exception(piece->failure);
    out(std::make_shared<const std::vector<std::byte>>(std::move(piece->compressed)));
}

asio::awaitable<void> ParallelCompressor::flush(std::function<void(async::Chunk)> out, async::StopToken stop) {
    while (!in_work_.empty()) co_await take_first(out, stop);
}

asio::awaitable<void> ParallelCompressor::quiesce() {
    for (const auto& piece : in_work_)
        while (!piece->done) co_await done_.wait();
    in_work_.clear();
}

}  // namespace pgbakd::run
