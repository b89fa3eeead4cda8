// Compresses the data blocks of a pg_dump archive on several pool threads at once; what comes out is the archive that
// pg_dump would have written with that compression.
#pragma once

#include <memory>
#include <vector>

#include "codec/archive_compressor.hpp"
#include "run/compressor.hpp"
#include "run/in_order.hpp"

namespace pgbakd::run {

// One chunk is taken apart on the pool while the batches of those before it are compressed there.
class ParallelArchive final : public Compressor {
  public:
    // `width`: how many batches are in work at once, at least 1.
    ParallelArchive(const asio::any_io_executor& executor, async::Pool& pool, const codec::Compression& compression,
                    std::size_t width);
    ~ParallelArchive() override;

    asio::awaitable<void> push(async::Chunk chunk, Output out, async::StopToken stop) override;
    asio::awaitable<void> flush(Output out, async::StopToken stop) override;
    asio::awaitable<void> quiesce() override;
    [[nodiscard]] std::optional<std::uint64_t> verified_bytes() const override { return joiner_.raw_bytes(); }

  private:
    class Split;
    class Batch;
    void split(async::Chunk chunk);
    asio::awaitable<void> compress_split(Output out, async::StopToken stop);
    asio::awaitable<void> take_first(Output out, async::StopToken stop);

    codec::Compression compression_;
    codec::ArchiveSplitter splitter_;  // while a split is under way, the pool's
    InOrder<Split> splits_;            // one at a time
    InOrder<Batch> batches_;
    codec::ArchiveJoiner joiner_;
    std::vector<std::unique_ptr<codec::ArchiveCompressor>> idle_;
    std::vector<std::shared_ptr<codec::ArchiveBatch>> used_;
};

}  // namespace pgbakd::run
