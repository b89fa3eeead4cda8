// A range of an object: how it is asked for, and what takes the answer.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <utility>

#include "http/body.hpp"
#include "target/target.hpp"

namespace pgbakd::target {

// The value of a Range header (RFC 9110, 14.2). Of a range that has at least one byte.
[[nodiscard]] inline std::string range_text(const Range& range) {
    if (!range.length) return fmt::format("bytes={}-", range.offset);
    return fmt::format("bytes={}-{}", range.offset, range.offset + *range.length - 1);
}

// Hands the bytes on, and refuses an answer that is not the range that was asked for.
class RangeSink final : public http::BodySink {
  public:
    RangeSink(Sink& inner, bool ranged) : inner_(inner), ranged_(ranged) {}
    void begin(const http::Response& head) override {
        if (ranged_ && head.status != 206)
            throw base::Error(base::ErrorCode::unsupported, "the service does not give ranges of an object");
    }
    asio::awaitable<void> write(std::span<const std::byte> bytes, async::StopToken stop) override {
        co_await inner_.write(bytes, std::move(stop));
        count += bytes.size();
    }
    std::uint64_t count = 0;

  private:
    Sink& inner_;
    bool ranged_;
};

}  // namespace pgbakd::target
