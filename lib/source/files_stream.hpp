// Files and trees as a stream: a tar that stock tar unpacks.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "async/pool.hpp"
#include "source/files_reader.hpp"
#include "source/stream.hpp"

namespace pgbakd::source {

// The reader works on the pool, a piece at a time. Where it hangs, as on a mount whose server is away, a stop or
// abort() leaves it behind with its thread, and it ends by itself when the mount answers: for such paths the pool is
// better one of their own.
class FilesStream final : public Stream {
  public:
    FilesStream(async::Pool& pool, FilesOptions options, FilesHooks hooks = {});

    // At once: files are not locked.
    asio::awaitable<void> begun(async::StopToken stop) override;
    asio::awaitable<std::size_t> read(std::span<std::byte> into, async::StopToken stop) override;
    // Throws only where nothing at all could be stored: else report() tells how good the tar is.
    asio::awaitable<void> finish(async::StopToken stop) override;
    [[nodiscard]] std::vector<std::string> remarks() const override { return report_.lines(); }
    asio::awaitable<void> abort() override;

    // After the end.
    [[nodiscard]] const FilesReport& report() const noexcept { return report_; }

  private:
    asio::awaitable<void> next_piece(async::StopToken stop);

    async::Pool& pool_;
    std::shared_ptr<FilesReader> reader_;      // null when it has ended
    std::shared_ptr<std::atomic<bool>> busy_;  // it is on the pool
    FilesReport report_;
    std::vector<std::byte> piece_;
    std::size_t offset_ = 0;
};

}  // namespace pgbakd::source
