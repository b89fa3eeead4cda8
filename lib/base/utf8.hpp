// UTF-8 (RFC 3629), character by character.
#pragma once

#include <cstddef>
#include <string_view>

namespace pgbakd::base {

// Bytes of the valid sequence at the front of `text`, which is not empty: 1 to 4; 0 if there is none.
[[nodiscard]] std::size_t utf8_length(std::string_view text) noexcept;

}  // namespace pgbakd::base
