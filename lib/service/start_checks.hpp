// What the daemon looks at once before it begins, as warnings.
#pragma once

#include <string>
#include <vector>

#include "config/config.hpp"

namespace pgbakd::service {

// Every secret of the configuration, read once: what cannot be read is a problem now and not at two in the morning.
// Blocks.
[[nodiscard]] std::vector<config::Problem> unreadable_secrets(const config::Config& config);

// The token of the API; empty where it is not served over the network. Blocks. Throws as host::resolve_secret().
[[nodiscard]] base::Secret api_token(const config::Config& config);

}  // namespace pgbakd::service
