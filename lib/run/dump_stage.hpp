// The stages dump and verify: every part of the run, one after another, each with its retries.
#pragma once

#include "run/context.hpp"
#include "run/copies.hpp"

namespace pgbakd::run {

// Makes the partial directory and fills it, and hands each file to `copies` as it grows; what was dumped stands in the
// context's set. A part that fails is left out
// of the set and the others go on, unless no part succeeds, the disk is full or the run is stopped: then it throws.
asio::awaitable<void> dump_stage(Context& context, Copies& copies, async::StopToken stop);

// Ends what the run's client programs may have left on the server. Never throws: a server that cannot be reached
// notices by itself that its clients are gone.
asio::awaitable<void> end_backends(Context& context);

}  // namespace pgbakd::run
