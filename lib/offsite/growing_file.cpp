#include "offsite/growing_file.hpp"

#include <fmt/format.h>

#include "offsite/local_file.hpp"
#include "offsite/read_back.hpp"

namespace pgbakd::offsite {
namespace {

class FileReading final : public Reading {
  public:
    FileReading(async::Pool& pool, std::shared_ptr<const LocalFile> file) : pool_(pool), file_(std::move(file)) {}

    asio::awaitable<async::Chunk> read(std::uint64_t offset, std::size_t count) override {
        // The last one again, unless somebody has kept it: fresh memory for each read costs as much as reading.
        if (bytes_.use_count() != 1) bytes_ = std::make_shared<std::vector<std::byte>>();
        const auto read = [file = file_, bytes = bytes_.get(), offset, count] { file->read(*bytes, offset, count); };
        co_await async::run_blocking(pool_, read);
        if (bytes_->size() != count)
            throw base::Error(base::ErrorCode::corrupt, fmt::format("{} has become shorter", file_->path().native()));
        co_return bytes_;
    }

    asio::awaitable<void> compare(target::Target& target, std::string key, std::uint64_t length,
                                  std::function<std::uint64_t()> random, async::StopToken stop) override {
        return compare_samples(target, pool_, std::move(key), file_, length, sampled_ranges(length, random),
                               std::move(stop));
    }

  private:
    async::Pool& pool_;
    std::shared_ptr<const LocalFile> file_;
    std::shared_ptr<std::vector<std::byte>> bytes_;
};

}  // namespace

asio::awaitable<std::unique_ptr<Reading>> GrowingFile::open(async::Pool& pool) {
    const auto open = [path = path_] { return std::make_shared<const LocalFile>(path); };
    auto file = co_await async::run_blocking(pool, open);
    co_return std::make_unique<FileReading>(pool, std::move(file));
}

}  // namespace pgbakd::offsite
