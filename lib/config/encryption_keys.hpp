// The keys of a job's encryption, and what a recipient may look like.
#pragma once

#include "config/section.hpp"
#include "model/encryption.hpp"

namespace pgbakd::config {

[[nodiscard]] const Section<model::Encryption>& encryption_keys();

// Exactly one way, with recipients.
void check_encryption(Problems& problems, const Node& node, const model::Encryption& encryption);

}  // namespace pgbakd::config
