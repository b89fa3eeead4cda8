#include "offsite/growing_buffer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "codec/sha256.hpp"

namespace pgbakd::offsite {
namespace {

class HashingSink final : public target::Sink {
  public:
    explicit HashingSink(async::Pool& pool) : pool_(pool) {}

    asio::awaitable<void> write(std::span<const std::byte> bytes, async::StopToken stop) override {
        stop.check();
        const auto update = [this, bytes] { hash_.update(bytes); };
        co_await async::run_blocking(pool_, update);
    }
    [[nodiscard]] std::string digest() { return hash_.hex_digest(); }

  private:
    async::Pool& pool_;
    codec::Sha256 hash_;
};

}  // namespace

class GrowingBuffer::BufferReading final : public Reading {
  public:
    BufferReading(async::Pool& pool, GrowingBuffer& buffer) : pool_(pool), buffer_(buffer) {}
    ~BufferReading() override { buffer_.give_up(); }

    asio::awaitable<async::Chunk> read(std::uint64_t offset, std::size_t count) override {
        if (buffer_.left_behind_) throw base::Error(*buffer_.left_behind_);
        const auto gone = buffer_.pushed_ - buffer_.waiting_bytes_;
        if (offset != gone || buffer_.waiting_.empty())
            throw base::Error(base::ErrorCode::internal,
                              fmt::format("{}: byte {} was asked for, {} is next", buffer_.name(), offset, gone));
        co_return buffer_.take(count);
    }

    asio::awaitable<void> compare(target::Target& target, std::string key, std::uint64_t length,
                                  std::function<std::uint64_t()> /*random*/, async::StopToken stop) override {
        HashingSink sink(pool_);
        const auto count = co_await target.get(std::move(key), {}, sink, std::move(stop));
        if (count != length)
            throw base::Error(base::ErrorCode::corrupt,
                              fmt::format("{} bytes could be read, and {} were sent", count, length));
        if (sink.digest() != buffer_.sha256())
            throw base::Error(base::ErrorCode::corrupt, "it differs from what was sent: its SHA-256 is another one");
    }

  private:
    async::Pool& pool_;
    GrowingBuffer& buffer_;
};

void GrowingBuffer::push(async::Chunk chunk) {
    const auto size = chunk->size();
    pushed_ += size;
    if (!given_up_ && size > 0) {
        waiting_bytes_ += size;
        waiting_.push_back(std::move(chunk));
    }
    grown_to(pushed_);
}

void GrowingBuffer::leave_behind(const base::Error& reason) {
    left_behind_ = reason;
    give_up();
    if (on_left_behind) on_left_behind(reason);
}

asio::awaitable<std::unique_ptr<Reading>> GrowingBuffer::open(async::Pool& pool) {
    co_return std::make_unique<BufferReading>(pool, *this);
}

void GrowingBuffer::give_up() {
    given_up_ = true;
    waiting_.clear();
    waiting_bytes_ = 0;
    taken_->notify();
}

async::Chunk GrowingBuffer::take(std::size_t at_most) {
    auto chunk = waiting_.front();
    const auto count = std::min(at_most, chunk->size() - used_);
    waiting_bytes_ -= count;
    taken_->notify();
    const bool whole = used_ == 0 && count == chunk->size();
    if (!whole) {
        const auto part = std::span(*chunk).subspan(used_, count);
        used_ += count;
        const bool ended = used_ == chunk->size();
        chunk = std::make_shared<const std::vector<std::byte>>(part.begin(), part.end());
        if (!ended) return chunk;
    }
    used_ = 0;
    waiting_.pop_front();
    return chunk;
}

}  // namespace pgbakd::offsite
