#include "calendar/scanner.hpp"

#include <fmt/format.h>

#include "base/text.hpp"

namespace pgbakd::calendar {

base::Error problem(std::size_t position, std::string_view what, std::string_view why, std::string_view hint) {
    auto message = fmt::format("{} at column {}", what, position + 1);
    if (!why.empty()) message += fmt::format(": {}", why);
    return {base::ErrorCode::invalid_argument, base::printable(message), base::printable(hint)};
}

std::optional<int> parse_number(std::string_view text) {
    if (text.empty() || text.size() > 6) return std::nullopt;
    int value = 0;
    for (const char c : text) {
        if (!base::is_digit(c)) return std::nullopt;
        value = value * 10 + (c - '0');
    }
    return value;
}

bool Scanner::take(char c) {
    if (at_end() || span_.text[offset_] != c) return false;
    ++offset_;
    return true;
}

void Scanner::skip_blanks() {
    while (!at_end() && is_blank(span_.text[offset_])) ++offset_;
}

Span Scanner::word() {
    const auto begin = offset_;
    while (!at_end() && !is_blank(span_.text[offset_]) && span_.text[offset_] != ',') ++offset_;
    return span_.sub(begin, offset_ - begin);
}

Span Scanner::digits() {
    const auto begin = offset_;
    while (!at_end() && base::is_digit(span_.text[offset_])) ++offset_;
    return span_.sub(begin, offset_ - begin);
}

}  // namespace pgbakd::calendar
