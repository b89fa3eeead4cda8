// What a child does between fork and exec.
#pragma once

#include <sys/types.h>

namespace pgbakd::os {

// Command::secret_file
inline constexpr int secret_descriptor = 3;

enum class ChildStep : int { directory, streams, execute };

// What the child writes to ChildPlan::report when it could not become the program.
struct ChildFailure {
    ChildStep step;
    int error_number;
};

// Everything the child needs, made ready before the fork: after it, only async-signal-safe calls are allowed
// (signal-safety(7)), since another thread may have held any lock at that moment, malloc's among them.
struct ChildPlan {
    const char* program;
    char* const* argv;
    char* const* environment;
    const char* directory;  // null: ours
    int input, output, errors;
    int secret;  // becomes secret_descriptor; -1: none
    int report;
    int nice;
    pid_t parent;
};

// In the child only: becomes the program, or reports why not and exits.
[[noreturn]] void become(const ChildPlan& plan) noexcept;

}  // namespace pgbakd::os
