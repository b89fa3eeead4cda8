// The connection to the daemon: a Unix stream socket whose every wait has an end. A synchronous stream as Beast takes
// them.
#pragma once

#include <boost/beast/core/buffer_traits.hpp>
#include <chrono>
#include <filesystem>
#include <functional>
#include <string>

#include "async/asio.hpp"

namespace pgbakd::admin {

class SocketStream {
  public:
    // Throws a Failure (unreachable) that names the socket and says what to do.
    SocketStream(const std::filesystem::path& path, std::chrono::milliseconds connect_timeout);

    // How long a read waits for the next byte. Then `on_silence` is asked, which throws, or returns to wait as long
    // again; without it the read fails with error::timed_out.
    void set_patience(std::chrono::milliseconds patience, std::function<void()> on_silence = {});

    template <class Buffers>
    std::size_t read_some(const Buffers& buffers, boost::system::error_code& failure) {
        for (;;) {
            const auto count = socket_.read_some(buffers, failure);
            if (failure != asio::error::would_block || !wait_readable(failure)) return count;
        }
    }
    template <class Buffers>
    std::size_t write_some(const Buffers& buffers, boost::system::error_code& failure) {
        for (;;) {
            const auto count = socket_.write_some(buffers, failure);
            if (failure != asio::error::would_block || !wait_writable(failure)) return count;
        }
    }
    // Beast asks for the throwing forms too.
    template <class Buffers>
    std::size_t read_some(const Buffers& buffers) {
        boost::system::error_code failure;
        const auto count = read_some(buffers, failure);
        if (failure) throw boost::system::system_error(failure);
        return count;
    }
    template <class Buffers>
    std::size_t write_some(const Buffers& buffers) {
        boost::system::error_code failure;
        const auto count = write_some(buffers, failure);
        if (failure) throw boost::system::system_error(failure);
        return count;
    }

  private:
    bool wait_readable(boost::system::error_code& failure);
    bool wait_writable(boost::system::error_code& failure);

    asio::io_context context_;
    asio::local::stream_protocol::socket socket_;
    std::chrono::milliseconds patience_ = std::chrono::seconds(30);
    std::function<void()> on_silence_;
};

// "the daemon is not reachable at /run/pgbakd/control.sock: …"
[[nodiscard]] class Failure not_reachable(const std::filesystem::path& path, const std::string& why,
                                          const std::string& hint);

}  // namespace pgbakd::admin
