// Whether something listens at an address.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "async/asio.hpp"
#include "async/stop.hpp"

namespace pgbakd::source {

// Connects to the port of that host by TCP, and closes the connection. `what`, in errors, is who should be there:
// "server ticks". Throws unreachable (passing unless there is no such host), or the token's reason.
asio::awaitable<void> reach(std::string host, std::uint16_t port, std::chrono::milliseconds at_most, std::string what,
                            async::StopToken stop);

}  // namespace pgbakd::source
