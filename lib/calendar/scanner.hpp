// Where a parser stands in the text of a schedule, and the errors it makes: what, at which column, and the fix.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace pgbakd::calendar {

// "<what> at column <n>: <why>"; `position` counts from 0, columns from 1. In a hint quotes stand around whole
// schedules and nothing else: what is offered as one must be one.
[[nodiscard]] base::Error problem(std::size_t position, std::string_view what, std::string_view why,
                                  std::string_view hint);

// A part of the text that remembers where it stood.
struct Span {
    std::string_view text;
    std::size_t position = 0;

    [[nodiscard]] Span sub(std::size_t offset, std::size_t count = std::string_view::npos) const {
        return {text.substr(offset, count), position + offset};
    }
    [[nodiscard]] std::size_t end() const { return position + text.size(); }
};

// The whole number that `text` is, if it is one of at most six digits.
[[nodiscard]] std::optional<int> parse_number(std::string_view text);

class Scanner {
  public:
    explicit Scanner(Span span) : span_(span) {}

    [[nodiscard]] bool at_end() const { return offset_ == span_.text.size(); }
    [[nodiscard]] std::size_t position() const { return span_.position + offset_; }
    [[nodiscard]] char peek(std::size_t ahead = 0) const {
        return offset_ + ahead < span_.text.size() ? span_.text[offset_ + ahead] : '\0';
    }
    // The next character, if it is `c`.
    bool take(char c);
    void skip_blanks();
    // All that is left.
    [[nodiscard]] Span rest() const { return span_.sub(offset_); }
    // Up to the next blank or comma, or nothing.
    Span word();
    // Up to the first character that is not a digit.
    Span digits();
    // What word() would give, without going there.
    [[nodiscard]] Span peek_word() const { return Scanner(*this).word(); }

  private:
    Span span_;
    std::size_t offset_ = 0;
};

[[nodiscard]] constexpr bool is_blank(char c) noexcept {
    return c == ' ' || c == '\t';
}

}  // namespace pgbakd::calendar
