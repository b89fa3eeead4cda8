// Pools of one user each, for work that may hang for as long as it likes: it holds those threads, and nobody else's.
#pragma once

#include <chrono>
#include <functional>
#include <memory>

#include "async/pool.hpp"

namespace pgbakd::async {

// `ending` may hang, as the end of a pool does whose threads hang: it is called on a thread of its own, which may
// outlive all else of the process.
void end_aside(std::function<void()> ending);
// Whether all that is ended aside has come to its end within that time. Blocks.
[[nodiscard]] bool wait_for_ends_aside(std::chrono::milliseconds patience);

// A pool that is ended aside when the last owner lets go of it.
[[nodiscard]] std::shared_ptr<Pool> own_pool(std::size_t threads, int nice);

}  // namespace pgbakd::async
