// The line that `systemctl status` shows.
#pragma once

#include "async/stop.hpp"
#include "service/core.hpp"

namespace pgbakd::service {

// Tells systemd what the daemon is at, when it changes; while runs go on, every few seconds. Until stopped.
asio::awaitable<void> show_status_line(Core& core, async::StopToken stop);

}  // namespace pgbakd::service
