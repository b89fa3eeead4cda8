// The end of all children at once, for a process that ends without its destructors.
#pragma once

#include <cstddef>

namespace pgbakd::os {

// SIGKILL to the process groups of all children of this process that were not reaped yet, as the kernel knows them, and
// so to what they have started, unless that left its group. Returns how many children there were; waits for none of
// them. On the thread that starts and reaps them: none may be reaped meanwhile. Throws where /proc cannot be read.
std::size_t kill_children();

}  // namespace pgbakd::os
