// Server processes of runs that a kill left: their client is gone, but they may hold locks until they notice.
#pragma once

#include <vector>

#include "async/stop.hpp"
#include "model/run.hpp"
#include "service/core.hpp"

namespace pgbakd::service {

// Ends them on the server of each run's job; where the job has left the configuration, on every server. A server that
// does not answer in time is a warning in the log. Throws only the token's reason.
asio::awaitable<void> end_leftover_backends(Core& core, std::vector<model::RunReport> interrupted,
                                            async::StopToken stop);

}  // namespace pgbakd::service
