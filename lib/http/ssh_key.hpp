// The private key that we show to an SSH server: what can be known of it before anybody is asked.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace pgbakd::http {

struct ClientKey {
    std::string type;  // "ssh-ed25519", "ssh-rsa", …; empty: it can only be told with the passphrase
    bool encrypted = false;
};

// What the text of a key file tells: OpenSSH's own format (PROTOCOL.key) and PEM. Error: invalid_configuration if it is
// no private key.
[[nodiscard]] base::Result<ClientKey> read_client_key(std::string_view text);

// Reads a key file. Throws invalid_configuration for one that is not there, that is no private key, that others than
// its owner may read (as ssh does: it is no secret then), or that is encrypted while there is no passphrase.
[[nodiscard]] ClientKey check_client_key(const std::filesystem::path& path, bool has_passphrase);

}  // namespace pgbakd::http
