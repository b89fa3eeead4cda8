// What must hold for a text before it is given to a YAML parser.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "config/node.hpp"

namespace pgbakd::config {

struct TextFault {
    Place place;
    std::string message;
    std::string hint;
};

// The first fault of a configuration's text: not UTF-8, a byte order mark, control characters (a YAML parser may take
// some of them for the end of the file), tabs in front of a line.
[[nodiscard]] std::optional<TextFault> check_text(std::string_view text);

// Whether a value has characters that no name, path or option may have: below U+0020, U+007F to U+009F.
[[nodiscard]] bool has_control_characters(std::string_view text) noexcept;

// Whether it looks like a connection string with a password in it: such a text is not repeated in messages.
[[nodiscard]] bool carries_password(std::string_view text);

// The length of the valid UTF-8 sequence at the front (RFC 3629), 0 if there is none.
[[nodiscard]] std::size_t utf8_sequence(std::string_view text) noexcept;

}  // namespace pgbakd::config
