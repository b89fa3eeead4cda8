// A connection to whichever address of a host answers. For this folder only.
#pragma once

#include <memory>

#include "postgres/connection.hpp"

namespace pgbakd::postgres {

struct Opened {
    std::unique_ptr<Connection> connection;
    Address address;  // the one that answered
};

// Connects and makes the settings of every session; errors as Session::connect() has them.
asio::awaitable<Opened> open_connection(ConnectOptions options, async::StopToken stop);

}  // namespace pgbakd::postgres
