// From a configured host to addresses that libpq can use without asking a name server itself: that would block.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "async/asio.hpp"
#include "async/stop.hpp"

namespace pgbakd::postgres {

struct Address {
    std::string host;     // as configured: what certificates and password files are matched with
    std::string numeric;  // its IP address; empty for a socket directory or libpq's default
};

// At most 16 addresses, in the resolver's order. A socket directory ("/run/postgresql", "@name"), an IP address and an
// empty host need no look-up. Errors: unreachable (lasting if the name does not exist); the token's reason.
asio::awaitable<std::vector<Address>> resolve(std::string host, async::StopToken stop);

}  // namespace pgbakd::postgres
