// The API over TCP, where the configuration wants it: for whoever has the token. Its clients are counted apart, so that
// they cannot keep an administrator from the control socket.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <optional>

#include "async/asio.hpp"
#include "async/event.hpp"
#include "async/stop.hpp"
#include "base/clock.hpp"
#include "base/secret.hpp"
#include "config/config.hpp"
#include "service/authorization.hpp"
#include "service/conversation.hpp"
#include "service/log.hpp"

namespace pgbakd::service {

class NetworkServer {
  public:
    NetworkServer(const asio::any_io_executor& executor, Log& log, Handler handler);

    // The address and token from now on; what is being answered goes on. Nothing: not over the network. An address that
    // cannot be had now is tried again for as long as it is wanted (an interface may come up later than we do).
    void configure(std::optional<config::ListenAddress> address, const base::Secret& token);
    // For a reload, before anything of it is taken over: binds the new address, beside or in place of the old one.
    // Returns why not; then all is as it was.
    [[nodiscard]] std::optional<base::Error> prepare(const std::optional<config::ListenAddress>& address);

    // Until stopped; then every connection is ended.
    asio::awaitable<void> serve(async::StopToken stop);

  private:
    using Acceptor = asio::ip::tcp::acceptor;
    [[nodiscard]] std::shared_ptr<Acceptor> bind(const config::ListenAddress& address) const;
    [[nodiscard]] bool admits(std::string_view authorization, const std::string& from);
    void leave();
    asio::awaitable<void> accept_all(async::StopToken stop);
    asio::awaitable<void> accept(std::shared_ptr<Acceptor> acceptor, async::StopToken stop);
    asio::awaitable<void> tell_refusals(async::StopToken stop);

    asio::any_io_executor executor_;
    Log& log_;
    TokenGuard guard_;
    Refusals refusals_;
    std::optional<config::ListenAddress> wanted_;
    std::optional<config::ListenAddress> bound_;  // where acceptor_ listens
    std::shared_ptr<Acceptor> acceptor_;
    bool told_ = false;  // that the address cannot be had
    async::Event changed_, refused_;
    Conversations conversations_;
    async::TaskGroup tasks_;
};

}  // namespace pgbakd::service
