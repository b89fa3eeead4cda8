#include "target/s3_part.hpp"

#include <algorithm>
#include <utility>

#include "codec/hmac.hpp"
#include "os/file.hpp"
#include "target/s3_parts.hpp"

namespace pgbakd::target {
namespace {

constexpr std::size_t read_size = 512UL * 1024;
// Hashed where it is: to hand it to another thread and back takes as long.
constexpr std::uint64_t little = 64UL * 1024;

}  // namespace

void S3Part::Spool::write(std::span<const std::byte> bytes) {
    try {
        os::write_all(file, bytes, directory);
    } catch (const base::Error& error) {
        throw error.during("keeping a part until it is sent");
    }
    hash.update(bytes);
}

class S3Part::SpoolBody final : public http::BodySource {
  public:
    SpoolBody(std::shared_ptr<const Spool> spool, std::uint64_t length, async::Pool& pool)
        : spool_(std::move(spool)), length_(length), pool_(pool) {}

    [[nodiscard]] std::uint64_t length() const override { return length_; }
    asio::awaitable<std::span<const std::byte>> next(async::StopToken /*stop*/) override {
        const auto count = std::min<std::uint64_t>(read_size, length_ - offset_);
        const auto into = buffer_;
        const auto read = [spool = spool_, into, count, offset = offset_] {
            into->resize(count);
            into->resize(os::read_at(spool->file, *into, offset, spool->directory));
        };
        if (count > 0) co_await async::run_blocking(pool_, read);
        offset_ += count;
        co_return std::span<const std::byte>(*into).first(std::min<std::size_t>(count, into->size()));
    }
    [[nodiscard]] bool rewind() override {
        offset_ = 0;
        return true;
    }

  private:
    std::shared_ptr<const Spool> spool_;
    std::uint64_t length_;
    std::uint64_t offset_ = 0;
    std::shared_ptr<std::vector<std::byte>> buffer_ = std::make_shared<std::vector<std::byte>>();
    async::Pool& pool_;
};

S3Part::S3Part(std::uint64_t capacity, std::filesystem::path directory)
    : capacity_(capacity), directory_(std::move(directory)), memory_(std::make_shared<std::vector<std::byte>>()) {
    memory_->reserve(std::min(capacity, most_in_memory));  // of address space: pages come as they are written
}

asio::awaitable<void> S3Part::append(async::Chunk chunk, std::size_t offset, std::size_t count, async::Pool& pool) {
    if (!spool_ && size_ + count > most_in_memory) co_await spill(pool);
    const auto bytes = std::span(*chunk).subspan(offset, count);
    size_ += count;
    if (!spool_) {
        memory_->insert(memory_->end(), bytes.begin(), bytes.end());
        co_return;
    }
    const auto write = [spool = spool_, chunk, bytes] { spool->write(bytes); };
    co_await async::run_blocking(pool, write);
}

asio::awaitable<void> S3Part::spill(async::Pool& pool) {
    const auto make = [directory = directory_, memory = memory_] {
        auto spool = std::make_shared<Spool>(Spool{directory, os::unnamed_file(directory), {}});
        spool->write(*memory);
        return spool;
    };
    spool_ = co_await async::run_blocking(pool, make);
    memory_.reset();
}

asio::awaitable<std::string> S3Part::hash(async::Pool& pool) {
    if (spool_) co_return spool_->hash.hex_digest();
    if (size_ <= little) co_return codec::sha256_hex(*memory_);
    const auto hashing = [memory = memory_] { return codec::sha256_hex(*memory); };
    co_return co_await async::run_blocking(pool, hashing);
}

asio::awaitable<std::string> S3Part::content_md5(async::Pool& pool) const {
    const auto hashing = [memory = memory_, spool = spool_, size = size_] {
        if (!spool) return codec::content_md5(*memory);
        codec::ContentMd5 hash;
        std::vector<std::byte> piece(read_size);
        for (std::uint64_t offset = 0; offset < size;) {
            const auto count = os::read_at(spool->file, piece, offset, spool->directory);
            if (count == 0) break;  // what is sent is as short, and refused
            hash.update(std::span(piece).first(count));
            offset += count;
        }
        return hash.base64_digest();
    };
    co_return co_await async::run_blocking(pool, hashing);
}

std::shared_ptr<http::BodySource> S3Part::body(async::Pool& pool) const {
    if (spool_) return std::make_shared<SpoolBody>(spool_, size_, pool);
    return std::make_shared<http::MemoryBody>(std::vector<async::Chunk>{memory_});
}

}  // namespace pgbakd::target
