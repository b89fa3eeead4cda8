// HTTP/1.1 with the clients of one listener: how many there may be, how long each may take, and a handler for each
// request. A client that does harm, or nothing, costs its own connection only.
#pragma once

#include <boost/asio/generic/stream_protocol.hpp>
#include <chrono>
#include <functional>
#include <list>
#include <memory>
#include <string>

#include "async/asio.hpp"
#include "async/stop.hpp"
#include "async/task_group.hpp"
#include "service/http_message.hpp"

namespace pgbakd::service {

using StreamSocket = asio::generic::stream_protocol::socket;
using Handler = std::function<asio::awaitable<HttpAnswer>(HttpRequest)>;
// Whether a request with this Authorization header is let in; told where it comes from. Empty: all are.
using Admits = std::function<bool(std::string_view authorization, const std::string& from)>;

struct Client {
    Client(StreamSocket the_socket, std::string the_origin)
        : socket(std::move(the_socket)), from(std::move(the_origin)) {}
    StreamSocket socket;
    std::string from;          // its address; empty on the Unix socket
    bool waits_for_it = true;  // nothing was asked yet, or all that was asked is answered
    bool admitted = false;     // it has asked before, and was let in
    bool parting = false;      // it has its last answer, and is only seen off
    std::chrono::steady_clock::time_point since = std::chrono::steady_clock::now();
};

class Conversations {
  public:
    static constexpr std::size_t most_connections = 64;
    static constexpr std::chrono::seconds idle_timeout{30};  // for a request's head, and again for its body
    static constexpr std::chrono::seconds spared{1};         // one that came just now is not ended for another
    static constexpr std::chrono::seconds farewell_timeout{2};
    static constexpr std::size_t most_ignored = std::size_t{1} << 20U;  // read after an answer that ends a connection
    static constexpr std::size_t slowest_reader = std::size_t{64} << 10U;  // bytes per second, beyond idle_timeout

    Conversations(asio::any_io_executor executor, Handler handler, Admits admits);

    // Where there are as many as may be, the one that has been silent for longest gives way, after those that are only
    // seen off, and one that has shown no token before one that has; where none is silent, the new one is told to come
    // back later.
    void take(StreamSocket socket, std::string from, async::StopToken stop);
    asio::awaitable<void> join();

  private:
    using ClientPtr = std::shared_ptr<Client>;
    asio::awaitable<void> converse(ClientPtr client, async::StopToken stop);
    asio::awaitable<void> refuse(ClientPtr client, async::StopToken stop);
    // One request and its answer; false: the connection is over.
    asio::awaitable<bool> exchange(ClientPtr client, std::shared_ptr<struct Inbox> inbox, async::StopToken stop);
    [[nodiscard]] bool make_room();

    asio::any_io_executor executor_;
    Handler handler_;
    Admits admits_;
    std::list<ClientPtr> clients_;
    std::size_t refusing_ = 0;
    async::TaskGroup tasks_;
};

}  // namespace pgbakd::service
