// Who we are on this machine.
#pragma once

#include <cstdint>
#include <string>

namespace pgbakd::host {

[[nodiscard]] std::string host_name();  // as the kernel has it
[[nodiscard]] std::string user_name();  // of the effective user; its number if it has no name
// A random number from the kernel's generator (getrandom(2)).
[[nodiscard]] std::uint64_t random_number();

}  // namespace pgbakd::host
