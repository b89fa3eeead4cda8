// One artifact's worth of bytes, as a source hands it out.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "async/asio.hpp"
#include "async/stop.hpp"

namespace pgbakd::source {

class Stream {
  public:
    Stream() = default;
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;
    virtual ~Stream() = default;

    // Until whatever produces the bytes holds all its locks (pg_dump takes every one before it writes anything), or has
    // ended. Beside read() only: it is what sees to the producer.
    virtual asio::awaitable<void> begun(async::StopToken stop) = 0;
    // Some bytes; 0 at the end. The end says nothing yet about success: finish() does. A token that was stopped throws
    // its reason, whatever bytes are there.
    virtual asio::awaitable<std::size_t> read(std::span<std::byte> into, async::StopToken stop) = 0;
    // After the end: throws if whatever produced the bytes did not end well, with its own last words.
    virtual asio::awaitable<void> finish(async::StopToken stop) = 0;
    // After finish(): what the producer had to say although it ended well, a line each.
    [[nodiscard]] virtual std::vector<std::string> remarks() const = 0;
    // Instead of finish(), at any time: ends the producer and returns once it is gone. Never throws.
    virtual asio::awaitable<void> abort() = 0;
};

}  // namespace pgbakd::source
