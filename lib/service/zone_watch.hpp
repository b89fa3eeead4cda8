// Notices that the host's time zone files were replaced while the daemon runs (an update of the package tzdata).
#pragma once

#include "async/stop.hpp"
#include "service/core.hpp"
#include "service/reloader.hpp"

namespace pgbakd::service {

// Watches the directories of the zones that jobs go by, and has them read again when what happened there has settled.
// Where directories cannot be watched, says so once and does nothing: a reload reads the zones too. Until stopped.
asio::awaitable<void> watch_zones(Core& core, Reloader& reloader, async::StopToken stop);

}  // namespace pgbakd::service
