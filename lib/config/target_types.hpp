// Types of values that mean something to a target.
#pragma once

#include "config/types.hpp"
#include "model/target.hpp"

namespace pgbakd::config {

// "50 MiB/s"
[[nodiscard]] Type<std::uint64_t> byte_rate();
// A list of names without repetition.
[[nodiscard]] Type<std::vector<std::string>> names_of_targets();
// Whether something has to be mounted, or where.
[[nodiscard]] Type<model::RequiredMount> required_mount();
// "https://…" or "http://…" with a host, perhaps a port, and nothing behind it.
[[nodiscard]] Type<std::string> endpoint();
// By the rules that all providers share (3 to 63 of a-z, 0-9, "-", "."), and a little more for older buckets.
[[nodiscard]] Type<std::string> bucket();
// Keys below it: no "/" at its ends, no "." or ".." in between.
[[nodiscard]] Type<std::string> prefix();
// `auto` (0) or a size.
[[nodiscard]] Type<std::uint64_t> part_size();
// A host name or an address; no socket, no URL.
[[nodiscard]] Type<std::string> tcp_host();

}  // namespace pgbakd::config
