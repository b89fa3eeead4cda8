// Types of values that mean something to a channel of alerts.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "config/types.hpp"
#include "model/channel.hpp"

namespace pgbakd::config {

[[nodiscard]] Type<model::Severity> severity();
// An address as mail servers take it: "local@domain", ASCII, no name beside it.
[[nodiscard]] Type<std::string> mail_address();
[[nodiscard]] Type<std::vector<std::string>> mail_addresses();
// A mapping from names of HTTP headers to values, each of which may be a secret.
[[nodiscard]] Type<std::vector<std::pair<std::string, model::SecretReference>>> headers();
// A list of names without repetition.
[[nodiscard]] Type<std::vector<std::string>> names_of_channels();
// "80%", as a whole number.
[[nodiscard]] Type<int> percentage(int minimum, int maximum);

}  // namespace pgbakd::config
