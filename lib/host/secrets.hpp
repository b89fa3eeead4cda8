// From where a secret is written about to the secret itself.
#pragma once

#include "base/secret.hpp"
#include "model/job.hpp"
#include "systemd/environment.hpp"

namespace pgbakd::host {

// Reads the environment variable, file (one final newline is cut off, at most 1 MiB) or credential. Blocks for files.
// Throws not_found or invalid_configuration that name the key and the place, never the value.
[[nodiscard]] base::Secret resolve_secret(const model::SecretReference& reference,
                                          const systemd::Environment& environment = systemd::Environment::of_process());

}  // namespace pgbakd::host
