// Runs a coroutine to its end on a reactor of its own.
#pragma once

#include <exception>
#include <optional>

#include "async/asio.hpp"

namespace support {

inline void run(pgbakd::asio::io_context& io, pgbakd::asio::awaitable<void> task) {
    std::exception_ptr failure;
    pgbakd::asio::co_spawn(io, std::move(task), [&failure](const std::exception_ptr& thrown) { failure = thrown; });
    io.restart();
    io.run();
    if (failure) std::rethrow_exception(failure);
}

}  // namespace support
