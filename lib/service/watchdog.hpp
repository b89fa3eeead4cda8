// Feeds systemd's watchdog, but only while everything moves.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "async/pool.hpp"
#include "async/stop.hpp"
#include "systemd/notifier.hpp"

namespace pgbakd::service {

// Pings at half of the manager's interval, from the reactor, when since the last ping the pool has ended a job and
// `planner_ticks` (which `poke` makes move) has moved. Does nothing where no watchdog is set. Until stopped.
asio::awaitable<void> feed_watchdog(const systemd::Notifier& notifier, async::Pool& pool, std::function<void()> poke,
                                    std::function<std::uint64_t()> planner_ticks, async::StopToken stop);

}  // namespace pgbakd::service
