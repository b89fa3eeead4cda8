#include "base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "base/utf8.hpp"

namespace pgbakd::base {
namespace {

std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i < a.size(); ++i) {
        auto diagonal = row[0];
        row[0] = i + 1;
        for (std::size_t j = 0; j < b.size(); ++j) {
            const auto above = row[j + 1];
            row[j + 1] = std::min({above + 1, row[j] + 1, diagonal + (a[i] == b[j] ? 0U : 1U)});
            diagonal = above;
        }
    }
    return row.back();
}

// Characters that print nothing and change how what stands beside them is read: marks of direction (Unicode's
// Bidi_Control), which let a name run backwards over its surroundings, and the separators of lines and paragraphs.
bool misleads(std::string_view sequence) {
    if (sequence == "\u061c") return true;
    if (sequence.size() != 3 || !sequence.starts_with("\xe2")) return false;
    return sequence == "\u200e" || sequence == "\u200f" || (sequence >= "\u2028" && sequence <= "\u202e") ||
           (sequence >= "\u2066" && sequence <= "\u2069");
}

}  // namespace

std::string_view trim(std::string_view text) noexcept {
    constexpr std::string_view blank = " \t\r\n";
    const auto first = text.find_first_not_of(blank);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(blank) - first + 1);
}

std::string to_lower(std::string_view text) {
    std::string result(text);
    for (auto& c : result)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return result;
}

std::string join(std::span<const std::string> parts, std::string_view separator) {
    std::string result;
    for (const auto& part : parts) {
        if (&part != parts.data()) result += separator;
        result += part;
    }
    return result;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> parts;
    for (;;) {
        const auto end = text.find(separator);
        parts.push_back(text.substr(0, end));
        if (end == std::string_view::npos) return parts;
        text.remove_prefix(end + 1);
    }
}

std::optional<std::string> closest(std::string_view word, std::span<const std::string> candidates) {
    // Quadratic in the length: a word this long is no misspelling of a name.
    if (word.size() > 128) return std::nullopt;
    std::optional<std::string> best;
    auto best_distance = (word.size() + 2) / 3 + 1;
    for (const auto& candidate : candidates) {
        if (candidate.size() > 128) continue;
        const auto distance = edit_distance(to_lower(word), to_lower(candidate));
        if (distance < best_distance) {
            best_distance = distance;
            best = candidate;
        }
    }
    return best;
}

std::string clamp_utf8(std::string_view text, std::size_t limit) {
    if (text.size() <= limit) return std::string(text);
    constexpr std::string_view ellipsis = "…";
    const bool marked = limit >= ellipsis.size();
    auto end = marked ? limit - ellipsis.size() : limit;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80) --end;
    std::string result(text.substr(0, end));
    if (marked) result += ellipsis;
    return result;
}

std::string printable(std::string_view text) {
    std::string result;
    result.reserve(text.size());
    while (!text.empty()) {
        const auto length = utf8_length(text);
        const auto lead = static_cast<unsigned char>(text.front());
        if (length == 0 || (length == 1 && (lead < 0x20 || lead == 0x7f))) {
            result += lead == '\t' ? ' ' : '?';
            text.remove_prefix(1);
        } else {
            const auto sequence = text.substr(0, length);
            if (misleads(sequence))
                result += '?';
            else
                result += sequence;
            text.remove_prefix(length);
        }
    }
    return result;
}

std::string counted(std::size_t number, std::string_view noun) {
    return fmt::format("{} {}{}", number, noun, number == 1 ? "" : "s");
}

}  // namespace pgbakd::base
