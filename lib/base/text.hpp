// Small pure functions over text. Letters and digits are ASCII's, whatever the locale.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pgbakd::base {

[[nodiscard]] constexpr bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}
[[nodiscard]] constexpr bool is_letter(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// Without spaces, tabs and line ends at both sides.
[[nodiscard]] std::string_view trim(std::string_view text) noexcept;
[[nodiscard]] std::string to_lower(std::string_view text);
[[nodiscard]] std::string join(std::span<const std::string> parts, std::string_view separator);
[[nodiscard]] std::vector<std::string_view> split(std::string_view text, char separator);

// The candidate that `word` is most likely a misspelling of (edit distance of at most a third of its length, rounded
// up), or nothing. For "did you mean …" hints.
[[nodiscard]] std::optional<std::string> closest(std::string_view word, std::span<const std::string> candidates);

// `text` cut to at most `limit` bytes, never inside a UTF-8 sequence; "…" (3 bytes, counted) marks a cut.
[[nodiscard]] std::string clamp_utf8(std::string_view text, std::size_t limit);

// `text` fit for one line of a log: control characters and invalid UTF-8 become "?".
[[nodiscard]] std::string printable(std::string_view text);

// "1 set", "2 sets". For nouns that take an s.
[[nodiscard]] std::string counted(std::size_t number, std::string_view noun);

}  // namespace pgbakd::base
