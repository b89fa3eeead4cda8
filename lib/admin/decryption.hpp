// --identity: the keys of whoever reads encrypted artifacts.
#pragma once

#include <optional>

#include "admin/arguments.hpp"
#include "admin/context.hpp"
#include "cipher/decryption.hpp"
#include "repository/repository.hpp"

namespace pgbakd::admin {

// The keys that --identity names, read now: before the tool becomes the repository's owner, who may not. Nothing
// without the option.
[[nodiscard]] std::optional<cipher::Decryption> read_decryption(const Context& context, const Arguments& arguments);
// The same as verifying takes it.
[[nodiscard]] repository::Decrypt decrypt_by(const std::optional<cipher::Decryption>& decryption);

}  // namespace pgbakd::admin
