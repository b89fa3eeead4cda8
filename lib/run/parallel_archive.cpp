#include "run/parallel_archive.hpp"

#include <algorithm>
#include <utility>

namespace pgbakd::run {
namespace {

// pg_dump writes, and its server reads, at most some 300 MB a second; more threads would have nothing to do, and each
// takes some 5 MiB.
constexpr std::size_t most_width = 8;

}  // namespace

class ParallelArchive::Split final : public async::Pool::Job {
  public:
    // Without a chunk: the archive's end.
    Split(codec::ArchiveSplitter& splitter, async::Chunk chunk) : splitter_(splitter), chunk_(std::move(chunk)) {}
    void run() override {
        if (chunk_)
            splitter_.write(*chunk_).value();
        else
            splitter_.finish().value();
        chunk_.reset();  // its buffer can take the next bytes
        batches = splitter_.take();
    }
    std::vector<std::shared_ptr<codec::ArchiveBatch>> batches;

  private:
    codec::ArchiveSplitter& splitter_;
    async::Chunk chunk_;
};

class ParallelArchive::Batch final : public async::Pool::Job {
  public:
    Batch(std::shared_ptr<codec::ArchiveBatch> raw_, std::unique_ptr<codec::ArchiveCompressor> compressor_)
        : raw(std::move(raw_)), compressor(std::move(compressor_)) {}
    void run() override { compressed = compressor->compress(*raw); }
    std::shared_ptr<codec::ArchiveBatch> raw;
    std::unique_ptr<codec::ArchiveCompressor> compressor;
    codec::CompressedBatch compressed;
};

ParallelArchive::ParallelArchive(const asio::any_io_executor& executor, async::Pool& pool,
                                 const codec::Compression& compression, std::size_t width)
    : compression_(compression),
      splitter_(compression),
      splits_(executor, pool, 1),
      batches_(executor, pool, std::min(width, most_width)) {}

ParallelArchive::~ParallelArchive() = default;

asio::awaitable<void> ParallelArchive::push(async::Chunk chunk, Output out, async::StopToken stop) {
    co_await compress_split(out, stop);
    split(std::move(chunk));
}

asio::awaitable<void> ParallelArchive::flush(Output out, async::StopToken stop) {
    co_await compress_split(out, stop);
    split(nullptr);
    co_await compress_split(out, stop);
    while (!batches_.empty()) co_await take_first(out, stop);
    joiner_.finish();
}

void ParallelArchive::split(async::Chunk chunk) {
    for (auto& batch : std::exchange(used_, {})) splitter_.reuse(std::move(batch));
    splits_.submit(std::make_shared<Split>(splitter_, std::move(chunk)));
}

asio::awaitable<void> ParallelArchive::compress_split(Output out, async::StopToken stop) {
    if (splits_.empty()) co_return;
    const auto split = co_await splits_.take(stop);
    for (auto& batch : split->batches) {
        while (batches_.full()) co_await take_first(out, stop);
        std::unique_ptr<codec::ArchiveCompressor> compressor;
        if (idle_.empty()) {
            compressor = std::make_unique<codec::ArchiveCompressor>(compression_);
        } else {
            compressor = std::move(idle_.back());
            idle_.pop_back();
        }
        batches_.submit(std::make_shared<Batch>(std::move(batch), std::move(compressor)));
    }
}

asio::awaitable<void> ParallelArchive::take_first(Output out, async::StopToken stop) {
    const auto batch = co_await batches_.take(stop);
    idle_.push_back(std::move(batch->compressor));
    used_.push_back(std::move(batch->raw));
    const auto hand_on = [&out](std::vector<std::byte> bytes) {
        out(std::make_shared<const std::vector<std::byte>>(std::move(bytes)));
    };
    joiner_.add(std::move(batch->compressed), hand_on);
}

asio::awaitable<void> ParallelArchive::quiesce() {
    co_await splits_.quiesce();
    co_await batches_.quiesce();
}

}  // namespace pgbakd::run
