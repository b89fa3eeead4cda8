// The environment of a child: a short list of what is inherited, and what the command adds.
#pragma once

#include <string>
#include <vector>

#include "os/process.hpp"

namespace pgbakd::os {

// "NAME=value" texts for execve. They may hold secrets, so the memory is wiped when it goes.
class EnvironmentBlock {
  public:
    // `inherited` is environ(7). A variable of the command replaces an inherited one and an earlier one of its own.
    // Throws invalid_argument for a name that is empty or holds "=" or NUL, and for a value with a NUL.
    EnvironmentBlock(const char* const* inherited, const std::vector<Command::Variable>& added);
    EnvironmentBlock(const EnvironmentBlock&) = delete;
    EnvironmentBlock& operator=(const EnvironmentBlock&) = delete;
    ~EnvironmentBlock();

    // Ends with a null pointer; lives as long as this object.
    [[nodiscard]] char* const* pointers() noexcept { return pointers_.data(); }

  private:
    std::vector<std::vector<char>> texts_;
    std::vector<char*> pointers_;
};

}  // namespace pgbakd::os
