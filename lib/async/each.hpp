// The same for many things, several of them at a time.
#pragma once

#include <cstddef>
#include <functional>

#include "async/asio.hpp"

namespace pgbakd::async {

// Awaits one(0) to one(count - 1) on the caller's executor: begun in that order, at most `at_once` of them at a time.
// When one throws, no further ones are begun; rethrows the first failure once those under way have ended.
asio::awaitable<void> for_each(std::size_t count, std::size_t at_once,
                               std::function<asio::awaitable<void>(std::size_t)> one);

}  // namespace pgbakd::async
