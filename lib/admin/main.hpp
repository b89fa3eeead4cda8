// pgbakctl, but for the process: arguments in, exit code out.
#pragma once

#include <string>
#include <vector>

#include "admin/context.hpp"

namespace pgbakd::admin {

// `arguments` without the program's name. Never throws: every failure becomes a message on `err` and an exit code.
[[nodiscard]] int main(const std::vector<std::string>& arguments, Surroundings& around);

}  // namespace pgbakd::admin
