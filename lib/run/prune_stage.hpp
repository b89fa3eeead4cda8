// The stage prune: after a good run, what retention no longer keeps, in each place by its own plan.
#pragma once

#include "run/context.hpp"
#include "run/copies.hpp"

namespace pgbakd::run {

// Gives how many sets were removed. What a target refuses or cannot do now becomes a note.
asio::awaitable<std::size_t> prune_stage(Context& context, const Copies& copies, async::StopToken stop);

}  // namespace pgbakd::run
