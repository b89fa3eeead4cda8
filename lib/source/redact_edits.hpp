// What the kinds of redact() share. For them only.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "source/redact.hpp"

namespace pgbakd::source {

inline constexpr std::string_view redacted_value = "***";

// Replacements in a text, in any order; of those that overlap the longest holds.
class RedactEdits {
  public:
    void replace(std::size_t begin, std::size_t end, std::string with);
    [[nodiscard]] std::string apply(std::string_view text);

  private:
    struct Edit {
        std::size_t begin, end;
        std::string with;
    };
    std::vector<Edit> edits_;
};

// Thrown inside of the parsers, and turned into the error of redact().
struct NotUnderstood {
    std::size_t at;
    std::string what;
};

[[nodiscard]] constexpr bool is_blank(char c) noexcept {
    return c == ' ' || c == '\t';
}
// Where the line that `at` is in ends, without its line end; and where the next begins.
[[nodiscard]] std::size_t end_of_line(std::string_view text, std::size_t at);
[[nodiscard]] std::size_t next_line(std::string_view text, std::size_t at);
[[nodiscard]] std::size_t skip_blanks(std::string_view text, std::size_t at, std::size_t end);
// `end` without blanks in front of it.
[[nodiscard]] std::size_t trim_end(std::string_view text, std::size_t begin, std::size_t end);

// What stands between double quotes in JSON and YAML, with its escapes undone.
[[nodiscard]] std::string unescaped(std::string_view quoted);

// A whole scalar like `KEY=value`, `--key=value`: where its value begins, if the key is one of these and there is a
// value.
[[nodiscard]] std::optional<std::size_t> assigned_value(std::string_view scalar, const KeyPatterns& keys);
// The same for what stands between double quotes; 0 if the value cannot be told from the key.
[[nodiscard]] std::optional<std::size_t> assigned_value_quoted(std::string_view quoted, const KeyPatterns& keys);

// In one line, anywhere: the first word that is one of these keys and is followed by `=` or `:`. Where its value
// begins.
[[nodiscard]] std::optional<std::size_t> value_in_line(std::string_view line, const KeyPatterns& keys);

void redact_env(std::string_view text, const KeyPatterns& keys, RedactEdits& edits);
void redact_yaml(std::string_view text, const KeyPatterns& keys, RedactEdits& edits);
void redact_json(std::string_view text, const KeyPatterns& keys, RedactEdits& edits);
void redact_ini(std::string_view text, const KeyPatterns& keys, RedactEdits& edits);

}  // namespace pgbakd::source
