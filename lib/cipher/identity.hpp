// Secret keys as a person has them in a file, and what can be known of them before they are used.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/secret.hpp"

namespace pgbakd::cipher {

struct Identity {
    std::filesystem::path place;  // as it was named
    base::Secret keys;            // for age: the text of the file; empty: `place` is a keyring of gpg
    [[nodiscard]] bool is_keyring() const noexcept { return keys.empty(); }
};

// Whether age can use that text without asking anybody: identities as age-keygen writes them, or an SSH private key.
// Error: invalid_argument, with what it is instead and what to do.
[[nodiscard]] base::Status check_age_identity(std::string_view text);

// The file, read now: what comes after may be another user, who may not. Blocks. A directory is a keyring of gpg
// (GNUPGHOME). Errors: those of reading; invalid_argument where it is neither.
[[nodiscard]] Identity read_identity(const std::filesystem::path& place);

}  // namespace pgbakd::cipher
