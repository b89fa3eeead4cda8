// What a recipient of an encryption looks like: a public key. A secret key in its place is found out, and no message
// repeats it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace pgbakd::model {

// "age1…" (Bech32, also of plugins: age1yubikey1…) or an SSH key (ssh-ed25519, ssh-rsa), as age(1) takes them. Error:
// invalid_configuration.
[[nodiscard]] base::Status check_age_recipient(std::string_view text);
// 40 hexadecimal digits of a fingerprint or 16 of a long key id, with "0x" or without. Error: invalid_configuration.
[[nodiscard]] base::Status check_gpg_recipient(std::string_view text);

// The recipients of a file as `age --recipients-file` takes it: a line each, empty lines and those with "#" left out.
// Errors: invalid_configuration with the line's number, also where there is none or there are more than 100.
[[nodiscard]] base::Result<std::vector<std::string>> parse_recipients_file(std::string_view text);

}  // namespace pgbakd::model
