#include "source/reach.hpp"

#include <fmt/format.h>

#include <boost/asio/ip/tcp.hpp>
#include <utility>

#include "async/timer.hpp"
#include "base/units.hpp"
#include "postgres/resolve.hpp"

namespace pgbakd::source {
namespace {

using base::Error;
using base::ErrorCode;

// The failure of the last address, or of the name; nothing: one took the connection.
asio::awaitable<boost::system::error_code> connect_any(std::string host, std::uint16_t port, async::StopToken stop) {
    const auto addresses = co_await postgres::resolve(std::move(host), stop);
    asio::ip::tcp::socket socket(co_await asio::this_coro::executor);
    boost::system::error_code failure = asio::error::host_not_found;
    boost::system::error_code ignored;
    for (const auto& address : addresses) {
        socket.close(ignored);
        const asio::ip::tcp::endpoint endpoint(asio::ip::make_address(address.numeric, failure), port);
        if (failure) continue;
        const auto registration = stop.on_stop([&socket] {
            boost::system::error_code unheard;
            socket.close(unheard);
        });
        co_await socket.async_connect(endpoint, asio::redirect_error(asio::use_awaitable, failure));
        stop.check();
        if (!failure) break;
    }
    co_return failure;
}

}  // namespace

asio::awaitable<void> reach(std::string host, std::uint16_t port, std::chrono::milliseconds at_most, std::string what,
                            async::StopToken stop) {
    const auto executor = co_await asio::this_coro::executor;
    const auto place = fmt::format("{}: {}:{}", what, host, port);
    const auto hint = fmt::format("is it running, and does a firewall let port {} through?", port);
    boost::system::error_code failure;
    std::exception_ptr thrown;
    {
        const async::Deadline deadline(executor, stop, at_most, "connecting");
        try {
            failure = co_await connect_any(std::move(host), port, deadline.token());
        } catch (...) {
            thrown = std::current_exception();
        }
        stop.check();
        if (thrown && deadline.token().stopped()) {
            const auto message = fmt::format("{} does not answer within {}", place, base::format_duration(at_most));
            throw Error(ErrorCode::unreachable, message, hint, base::Persistence::passing);
        }
    }
    if (thrown) {
        const auto error = base::to_error(thrown).during(what);
        throw Error(error);
    }
    if (failure) {
        const auto message = fmt::format("{}: {}", place, failure.message());
        throw Error(ErrorCode::unreachable, message, hint, base::Persistence::passing);
    }
}

}  // namespace pgbakd::source
