#include "service/network_server.hpp"

#include <fmt/format.h>

#include <boost/asio/ip/v6_only.hpp>
#include <cstring>

#include "async/timer.hpp"
#include "host/identity.hpp"

namespace pgbakd::service {
namespace {

using asio::ip::tcp;
using boost::system::error_code;

constexpr std::chrono::seconds bind_pause{10};
constexpr std::chrono::seconds refusal_pause{60};
// An answer of megabytes goes out in pieces of this size, so that what a run does next need not wait for all of it.
constexpr int send_buffer = 128 << 10;

std::array<std::byte, 32> random_key() {
    std::array<std::byte, 32> key{};
    for (std::size_t i = 0; i < key.size(); i += sizeof(std::uint64_t)) {
        const auto number = host::random_number();
        std::memcpy(key.data() + i, &number, sizeof number);
    }
    return key;
}

base::Error cannot_listen(const config::ListenAddress& address, const error_code& failure) {
    const auto in_use = failure == asio::error::address_in_use;
    return base::error_from_errno(failure.value(), "serving the API on " + address.text()).code() ==
                   base::ErrorCode::permission_denied
               ? base::Error(base::ErrorCode::permission_denied,
                             fmt::format("the API cannot be served on {}: {}", address.text(), failure.message()),
                             "ports below 1024 are root's: choose another in api.listen")
               : base::Error(base::ErrorCode::conflict,
                             fmt::format("the API cannot be served on {}: {}", address.text(), failure.message()),
                             in_use ? "another program listens there (ss -ltnp): choose another port in api.listen"
                                    : "api.listen is an address of this host (ip address)");
}

}  // namespace

NetworkServer::NetworkServer(const asio::any_io_executor& executor, Log& log, Handler handler)
    : executor_(executor),
      log_(log),
      guard_(random_key()),
      changed_(executor),
      refused_(executor),
      conversations_(
          executor, std::move(handler),
          [this](std::string_view authorization, const std::string& from) { return admits(authorization, from); }),
      tasks_(executor) {}

bool NetworkServer::admits(std::string_view authorization, const std::string& from) {
    if (guard_.admits(authorization)) return true;
    refusals_.note(from);
    refused_.notify();
    return false;
}

std::shared_ptr<NetworkServer::Acceptor> NetworkServer::bind(const config::ListenAddress& address) const {
    error_code failure;
    const auto ip = asio::ip::make_address(address.host, failure);
    if (failure)
        throw base::Error(base::ErrorCode::invalid_configuration,
                          fmt::format("the API cannot be served on {}: that is no address", address.text()),
                          "as in api.listen: 127.0.0.1:8754");
    const tcp::endpoint endpoint(ip, address.port);
    auto acceptor = std::make_shared<Acceptor>(executor_);
    acceptor->open(endpoint.protocol(), failure);
    if (!failure) acceptor->set_option(asio::socket_base::reuse_address(true), failure);
    if (!failure) acceptor->set_option(asio::socket_base::send_buffer_size(send_buffer), failure);  // of each client's
    if (!failure && ip.is_v6()) acceptor->set_option(asio::ip::v6_only(true), failure);
    if (!failure) acceptor->bind(endpoint, failure);
    if (!failure) acceptor->listen(asio::socket_base::max_listen_connections, failure);
    if (failure) throw base::Error(cannot_listen(address, failure));
    return acceptor;
}

void NetworkServer::leave() {
    if (!acceptor_) return;
    error_code ignored;
    acceptor_->close(ignored);
    acceptor_.reset();
    bound_.reset();
}

std::optional<base::Error> NetworkServer::prepare(const std::optional<config::ListenAddress>& address) {
    if (!address || address == bound_ || address == wanted_) return std::nullopt;
    const auto before = bound_;
    // On the same port the old address may be in the way of the new one.
    if (bound_ && bound_->port == address->port) leave();
    try {
        auto acceptor = bind(*address);
        leave();
        acceptor_ = std::move(acceptor);
        bound_ = address;
    } catch (const base::Error& error) {
        if (before && !bound_) {
            try {
                acceptor_ = bind(*before);
                bound_ = before;
            } catch (const base::Error&) {
                told_ = false;  // serve() tries again, and tells
            }
        }
        changed_.notify();
        return error;
    }
    wanted_ = address;
    changed_.notify();
    return std::nullopt;
}

void NetworkServer::configure(std::optional<config::ListenAddress> address, const base::Secret& token) {
    guard_.set_token(token);
    if (bound_ && bound_ != address) leave();
    if (wanted_ != address) told_ = false;
    wanted_ = std::move(address);
    changed_.notify();
}

asio::awaitable<void> NetworkServer::serve(async::StopToken stop) {
    std::exception_ptr failure;
    tasks_.spawn(tell_refusals(stop));
    try {
        co_await accept_all(stop);
    } catch (...) {
        failure = std::current_exception();
    }
    leave();
    co_await conversations_.join();
    try {
        co_await tasks_.join();
    } catch (const base::Error&) {
        // It was stopped, as this was.
    }
    if (failure) std::rethrow_exception(failure);
}

asio::awaitable<void> NetworkServer::accept_all(async::StopToken stop) {
    for (;;) {
        stop.check();
        if (!acceptor_ && wanted_) {
            std::optional<base::Error> problem;
            try {
                acceptor_ = bind(*wanted_);
                bound_ = wanted_;
            } catch (const base::Error& error) {
                problem = error;
            }
            if (problem && !told_) log_.problem(Priority::error, *problem);
            if (!problem) log_.write(Priority::info, "the API is served on " + wanted_->text());
            told_ = problem.has_value();
        }
        if (acceptor_) {
            const auto acceptor = acceptor_;
            co_await accept(acceptor, stop);
        } else if (wanted_) {
            co_await async::wait_at_most(changed_, bind_pause, stop);
        } else {
            co_await changed_.wait(stop);
        }
    }
}

// Until this acceptor is closed.
asio::awaitable<void> NetworkServer::accept(std::shared_ptr<Acceptor> acceptor, async::StopToken stop) {
    // NOLINTNEXTLINE(clang-analyzer-deadcode.DeadStores): it lives until the end of the scope
    const auto registration = stop.on_stop([acceptor] {
        error_code ignored;
        acceptor->close(ignored);
    });
    while (acceptor->is_open()) {
        tcp::socket socket(executor_);
        tcp::endpoint peer;
        error_code failure;
        co_await acceptor->async_accept(socket, peer, asio::redirect_error(asio::use_awaitable, failure));
        stop.check();
        if (!acceptor->is_open()) break;
        if (failure) {  // out of descriptors, most likely: others end, then there are some again
            co_await async::sleep_for(std::chrono::milliseconds(200), stop);
            continue;
        }
        error_code ignored;
        socket.set_option(tcp::no_delay(true), ignored);
        socket.set_option(asio::socket_base::keep_alive(true), ignored);  // a client may wait for hours, and vanish
        conversations_.take(StreamSocket(std::move(socket)), peer.address().to_string(), stop);
    }
}

asio::awaitable<void> NetworkServer::tell_refusals(async::StopToken stop) {
    for (;;) {
        while (!refusals_.any()) co_await refused_.wait(stop);
        log_.write(Priority::warning, refusals_.take_line());
        co_await async::sleep_for(refusal_pause, stop);
    }
}

}  // namespace pgbakd::service
