// Credentials that systemd hands to a service (LoadCredential=, SetCredentialEncrypted=): files in
// $CREDENTIALS_DIRECTORY.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string_view>

#include "base/result.hpp"
#include "base/secret.hpp"
#include "systemd/environment.hpp"

namespace pgbakd::systemd {

// Larger ones are refused (systemd's own limit, systemd.exec(5)).
inline constexpr std::size_t max_credential_bytes = std::size_t{1024} * 1024;

// Nothing when systemd handed over none, or when the path is not absolute.
[[nodiscard]] std::optional<std::filesystem::path> credentials_directory(
    const Environment& environment = Environment::of_process());

// The content of a credential as it is, a line end included. Blocks for the time of reading a small file in memory.
// Errors: invalid_argument (a name that is no file name, or longer than 255 bytes), not_found (no directory, or no such
// credential; the hint says how to add it), corrupt (larger than 1 MiB, or not a regular file), permission_denied,
// io_failed.
[[nodiscard]] base::Result<base::Secret> credential(std::string_view name,
                                                    const Environment& environment = Environment::of_process());

}  // namespace pgbakd::systemd
