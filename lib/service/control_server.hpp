// HTTP/1.1 over the control socket: connections, limits, and a handler for each request.
#pragma once

#include <boost/json/object.hpp>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "async/asio.hpp"
#include "async/stop.hpp"
#include "async/task_group.hpp"

namespace pgbakd::service {

struct HttpRequest {
    std::string method;  // "GET"
    std::string path;    // decoded, without the query
    std::map<std::string, std::string> query;
    std::string body;
};

// Writes pieces of an endless answer; throws when the client has gone.
using EventWriter = std::function<asio::awaitable<void>(std::string)>;

struct HttpAnswer {
    int status = 200;
    std::string body;   // JSON
    std::string allow;  // for 405
    // Instead of the body: writes server-sent events until it returns.
    std::function<asio::awaitable<void>(EventWriter)> events;
};
using Handler = std::function<asio::awaitable<HttpAnswer>(HttpRequest)>;

[[nodiscard]] HttpAnswer json_answer(int status, const boost::json::object& body);
[[nodiscard]] HttpAnswer error_answer(int status, const base::Error& error);

class ControlServer {
  public:
    static constexpr std::size_t most_connections = 64;
    static constexpr std::size_t largest_head = std::size_t{16} << 10U;
    static constexpr std::size_t largest_body = std::size_t{64} << 10U;
    static constexpr std::size_t most_ignored = std::size_t{1} << 20U;  // read after an answer that ends a connection
    static constexpr std::chrono::seconds idle_timeout{30};
    static constexpr std::chrono::seconds farewell_timeout{2};

    // Binds the socket: owner and group `pgbakd` (if there is one) may connect. A socket file that nobody listens on is
    // replaced; one that answers is a conflict. The path is at most 107 bytes long.
    ControlServer(asio::any_io_executor executor, std::filesystem::path socket, Handler handler);
    ~ControlServer();

    // Accepts until stopped, then ends every connection and removes the socket.
    asio::awaitable<void> serve(async::StopToken stop);

  private:
    using Socket = asio::local::stream_protocol::socket;
    asio::awaitable<void> accept_all(async::StopToken stop);
    asio::awaitable<void> converse(std::shared_ptr<Socket> socket, async::StopToken stop);

    asio::any_io_executor executor_;
    std::filesystem::path path_;
    Handler handler_;
    asio::local::stream_protocol::acceptor acceptor_;
    async::TaskGroup connections_;
};

}  // namespace pgbakd::service
