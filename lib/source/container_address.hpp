// Where the server in a container listens, as docker tells it. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace pgbakd::source {

// docker's arguments that ask for it.
[[nodiscard]] std::vector<std::string> container_address_arguments(const std::string& container);

// The IP addresses from what docker printed: of each of its networks (in docker's order, by name) one, IPv4 before
// IPv6, sixteen at most; the loopback of a container in the host's own network. Never empty. Errors: unreachable
// (passing) if it does not run; invalid_configuration if it has no address of its own; corrupt for what is no answer.
[[nodiscard]] base::Result<std::vector<std::string>> parse_container_addresses(const std::string& container,
                                                                               std::string_view output);

}  // namespace pgbakd::source
