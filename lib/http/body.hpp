// Bodies that stream: where the bytes of a request come from, and where those of an answer go.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "async/asio.hpp"
#include "async/buffers.hpp"
#include "async/stop.hpp"

namespace pgbakd::http {

struct Response;

class BodySource {
  public:
    BodySource() = default;
    BodySource(const BodySource&) = delete;
    BodySource& operator=(const BodySource&) = delete;
    virtual ~BodySource() = default;
    // Bytes in all, known before the first is sent.
    [[nodiscard]] virtual std::uint64_t length() const = 0;
    // The next bytes, valid until the next call or the end of the request; may wait, and throws the token's reason.
    // Empty only at the end. It is stopped when the server has answered without waiting for the rest.
    virtual asio::awaitable<std::span<const std::byte>> next(async::StopToken stop) = 0;
    // Back to the first byte: a kept connection turned out dead. No: the request fails for a passing cause.
    [[nodiscard]] virtual bool rewind() = 0;
};

class BodySink {
  public:
    BodySink() = default;
    BodySink(const BodySink&) = delete;
    BodySink& operator=(const BodySink&) = delete;
    virtual ~BodySink() = default;
    // Status and headers of an answer of 200 to 299, as soon as they are there: before the first byte of its body, and
    // also where none comes, for whatever reason. May throw base::Error to refuse it.
    virtual void begin(const Response& head);
    // Takes all of `bytes`; while it waits, the server is made to wait.
    virtual asio::awaitable<void> write(std::span<const std::byte> bytes, async::StopToken stop) = 0;
};

// Pieces that are in memory: a part of an upload, a document.
class MemoryBody final : public BodySource {
  public:
    explicit MemoryBody(std::vector<async::Chunk> chunks);
    explicit MemoryBody(std::string_view text);
    [[nodiscard]] std::uint64_t length() const override { return length_; }
    asio::awaitable<std::span<const std::byte>> next(async::StopToken stop) override;
    [[nodiscard]] bool rewind() override;

  private:
    std::vector<async::Chunk> chunks_;
    std::uint64_t length_ = 0;
    std::size_t at_ = 0;
};

}  // namespace pgbakd::http
