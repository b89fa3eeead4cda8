// What the tables of redaction share.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "source/redact.hpp"
#include "support/catch.hpp"

namespace pgbakd::source::testing {

inline const KeyPatterns& keys() {
    static const KeyPatterns parsed =
        KeyPatterns::parse(std::vector<std::string>{"*PASSWORD*", "*SECRET*", "*_KEY"}).value();
    return parsed;
}

// "refused: …" where it was not understood.
inline std::string redacted(RedactKind kind, std::string_view text) {
    const auto result = redact(kind, text, keys());
    return result ? *result : "refused: " + result.error().message();
}

struct Row {
    std::string_view before;
    std::string_view after;
};

// Each row as it is, with Windows' line ends, without its last line end, and after a byte order mark.
template <std::size_t Size>
void check_rows(RedactKind kind, const std::array<Row, Size>& rows) {
    const auto with_carriage_returns = [](std::string_view text) {
        std::string other;
        for (const char c : text) other += c == '\n' ? std::string("\r\n") : std::string(1, c);
        return other;
    };
    for (const auto& row : rows) {
        INFO(row.before);
        CHECK(redacted(kind, row.before) == row.after);
        CHECK(redacted(kind, "\xEF\xBB\xBF" + std::string(row.before)) == "\xEF\xBB\xBF" + std::string(row.after));
        CHECK(redacted(kind, with_carriage_returns(row.before)) == with_carriage_returns(row.after));
        if (row.before.ends_with('\n') && row.after.ends_with('\n'))
            CHECK(redacted(kind, row.before.substr(0, row.before.size() - 1)) ==
                  row.after.substr(0, row.after.size() - 1));
        // What is redacted already stays as it is.
        CHECK(redacted(kind, row.after) == row.after);
    }
}

template <std::size_t Size>
void check_refused(RedactKind kind, const std::array<Row, Size>& rows) {
    for (const auto& row : rows) {
        INFO(row.before);
        CHECK(redacted(kind, row.before) == "refused: " + std::string(row.after));
    }
}

}  // namespace pgbakd::source::testing
