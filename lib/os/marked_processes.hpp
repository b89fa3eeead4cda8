// Processes that outlived the one that started them, found by what stands in their environment. A process id written
// down somewhere could be another process's by now; an environment cannot.
#pragma once

#include <chrono>
#include <cstddef>
#include <string_view>

namespace pgbakd::os {

// Ends with SIGKILL every process of our user, but ourselves, whose environment has the variable `mark` ("NAME=value"),
// and waits until they are gone; those that they start meanwhile go too. Returns how many there were. Throws timed_out
// if some are still there after `patience` (a process in an uninterruptible wait). Blocks.
std::size_t end_marked_processes(std::string_view mark, std::chrono::milliseconds patience);

}  // namespace pgbakd::os
