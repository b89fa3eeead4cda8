// What a webhook gets: JSON, and the signature by which it knows whose it is. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/secret.hpp"
#include "model/alert.hpp"

namespace pgbakd::alert {

// A receiver need not take more than that.
inline constexpr std::size_t most_webhook_bytes = 1024UL * 1024;

// One alert as model::to_json() has it; several as {"format":"pgbakd-digest/1","alerts":[…]}, where long messages and
// hints are cut until all of them fit into most_webhook_bytes.
[[nodiscard]] std::string webhook_body(const std::vector<model::Alert>& alerts);

// "sha256=" and the HMAC-SHA-256 of the body in lower-case hexadecimal: the value of X-Pgbakd-Signature.
[[nodiscard]] std::string webhook_signature(const base::Secret& key, std::string_view body);

}  // namespace pgbakd::alert
