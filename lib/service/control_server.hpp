// The API on the control socket: who may open the socket may ask.
#pragma once

#include <filesystem>

#include "async/asio.hpp"
#include "async/stop.hpp"
#include "service/conversation.hpp"

namespace pgbakd::service {

class ControlServer {
  public:
    // Binds the socket: owner and group `pgbakd` (if there is one) may connect. A socket file that nobody listens on is
    // replaced; one that answers is a conflict. The path is at most 107 bytes long.
    ControlServer(asio::any_io_executor executor, std::filesystem::path socket, Handler handler);
    ~ControlServer();

    // Accepts until stopped, then ends every connection and removes the socket.
    asio::awaitable<void> serve(async::StopToken stop);

  private:
    asio::awaitable<void> accept_all(async::StopToken stop);

    asio::any_io_executor executor_;
    std::filesystem::path path_;
    asio::local::stream_protocol::acceptor acceptor_;
    Conversations conversations_;
};

}  // namespace pgbakd::service
