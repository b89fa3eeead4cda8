// Whether something listens: what is said when nothing does.
#include "source/reach.hpp"

#include <sys/socket.h>

#include <boost/asio/ip/tcp.hpp>
#include <optional>

#include "base/error.hpp"
#include "support/catch.hpp"
#include "unit/async/support.hpp"

using namespace pgbakd;
using namespace std::chrono_literals;
using asio::ip::tcp;

namespace {

std::optional<base::Error> failure_of(asio::io_context& io, std::uint16_t port, std::chrono::milliseconds at_most,
                                      const async::StopToken& stop = {}) {
    try {
        support::run(io, source::reach("127.0.0.1", port, at_most, "server ticks", stop));
    } catch (const base::Error& error) {
        return error;
    }
    return std::nullopt;
}

}  // namespace

TEST_CASE("a port is reached, refused or silent") {
    asio::io_context io;
    tcp::acceptor listener(io, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    const auto port = listener.local_endpoint().port();
    CHECK_FALSE(failure_of(io, port, 10s));

    // A queue that is full drops whoever comes.
    REQUIRE(::listen(listener.native_handle(), 0) == 0);
    std::optional<base::Error> silent;
    for (int i = 0; i < 5 && !silent; ++i) silent = failure_of(io, port, 300ms);
    REQUIRE(silent);
    CHECK(silent->code() == base::ErrorCode::unreachable);
    CHECK(silent->is_passing());
    CHECK(silent->message() == "server ticks: 127.0.0.1:" + std::to_string(port) + " does not answer within 300 ms");

    listener.close();
    const auto refused = failure_of(io, port, 10s);
    REQUIRE(refused);
    CHECK(refused->code() == base::ErrorCode::unreachable);
    CHECK(refused->is_passing());
    CHECK(refused->message() == "server ticks: 127.0.0.1:" + std::to_string(port) + ": Connection refused");
    CHECK(refused->hint() == "is it running, and does a firewall let port " + std::to_string(port) + " through?");
}

TEST_CASE("who is called off does not look") {
    asio::io_context io;
    async::StopSource stop;
    stop.stop({base::ErrorCode::cancelled, "called off"});
    const auto failure = failure_of(io, 1, 10s, stop.token());
    REQUIRE(failure);
    CHECK(failure->code() == base::ErrorCode::cancelled);
}
