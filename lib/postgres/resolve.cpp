#include "postgres/resolve.hpp"

#include <algorithm>
#include <boost/asio/ip/tcp.hpp>
#include <utility>

#include "async/event.hpp"

namespace pgbakd::postgres {
namespace {

constexpr std::size_t most_addresses = 16;

// Shared with the resolver's handler: getaddrinfo cannot be interrupted, so whoever is stopped leaves it behind.
struct Lookup {
    explicit Lookup(const asio::any_io_executor& executor) : resolver(executor), done(executor) {}
    asio::ip::tcp::resolver resolver;
    async::Event done;
    bool finished = false;
    boost::system::error_code failure;
    std::vector<std::string> addresses;
};

void start(const std::shared_ptr<Lookup>& lookup, const std::string& host) {
    // No address_configured: without a configured interface beside loopback it would hide "localhost".
    lookup->resolver.async_resolve(
        host, "", asio::ip::resolver_base::flags{},
        [lookup](const boost::system::error_code& failure, const asio::ip::tcp::resolver::results_type& results) {
            lookup->failure = failure;
            for (const auto& result : results) {
                auto address = result.endpoint().address().to_string();
                if (lookup->addresses.size() < most_addresses &&
                    std::ranges::find(lookup->addresses, address) == lookup->addresses.end())
                    lookup->addresses.push_back(std::move(address));
            }
            lookup->finished = true;
            lookup->done.notify();
        });
}

base::Error unknown_host(const std::string& host, const boost::system::error_code& failure) {
    const bool unknown = failure == asio::error::host_not_found || failure == asio::error::no_data;
    return {base::ErrorCode::unreachable, "cannot resolve host name " + host + ": " + failure.message(),
            unknown ? "check the server's host in the configuration" : "check the name servers of this host",
            unknown ? base::Persistence::lasting : base::Persistence::passing};
}

}  // namespace

asio::awaitable<std::vector<Address>> resolve(std::string host, async::StopToken stop) {
    stop.check();
    std::vector<Address> found;
    boost::system::error_code no_address;
    if (host.empty() || host.front() == '/' || host.front() == '@') {
        found.push_back({host, {}});
    } else if (asio::ip::make_address(host, no_address); !no_address) {
        found.push_back({host, host});
    } else {
        const auto executor = co_await asio::this_coro::executor;
        const auto lookup = std::make_shared<Lookup>(executor);
        start(lookup, host);
        while (!lookup->finished) co_await lookup->done.wait(stop);
        if (lookup->failure) throw unknown_host(host, lookup->failure);
        for (auto& address : lookup->addresses) found.push_back({host, std::move(address)});
    }
    co_return found;
}

}  // namespace pgbakd::postgres
