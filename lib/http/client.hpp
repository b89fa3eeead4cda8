// Requests over HTTP/1.1 and TLS on the reactor, with kept connections. One client per service spoken to.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

#include "async/asio.hpp"
#include "async/stop.hpp"
#include "http/message.hpp"

namespace pgbakd::http {

struct Options {
    // PEM file of the authorities to trust, instead of the system's. Empty: the system's.
    std::string ca_file;
    // Name look-up, connection and TLS handshake together; above zero.
    std::chrono::milliseconds connect_timeout = std::chrono::seconds(15);
    // How long no byte may move while the other side is waited for (waiting for our own source or sink does not
    // count); above zero.
    std::chrono::milliseconds stall_timeout = std::chrono::seconds(60);
    // Bytes of an answer's headers in all, its interim answers included.
    std::size_t most_header_bytes = 64UL * 1024;
    // Bytes of a body that goes into Response::body: more of them is an error for a success, and cut otherwise.
    std::size_t most_body_bytes = 8UL * 1024 * 1024;
};

class Multi;

class Client {
  public:
    Client(const asio::any_io_executor& executor, Options options);
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;
    // Requests under way hold what they need; the kept connections are closed with the last of them.
    ~Client();

    // The answer, whatever its status; redirects are not followed, proxies of the environment not used, and TLS is
    // 1.2 at least with certificate and name checked.
    // Throws base::Error: what the token, the source or the sink said; invalid_argument for a URL, method or header
    // that cannot be sent; unreachable or timed_out (passing) when the network or the server failed;
    // authentication_failed for a certificate that is not trusted; server_error for an answer that breaks the
    // protocol or a limit.
    asio::awaitable<Response> perform(Request request, async::StopToken stop);

  private:
    asio::any_io_executor executor_;
    Options options_;
    std::shared_ptr<Multi> multi_;
};

}  // namespace pgbakd::http
