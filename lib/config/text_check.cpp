#include "config/text_check.hpp"

#include <fmt/format.h>

#include "base/text.hpp"

namespace pgbakd::config {
namespace {

unsigned byte_at(std::string_view text, std::size_t index) noexcept {
    return static_cast<unsigned char>(text[index]);
}

bool is_control(std::string_view sequence) noexcept {
    const auto lead = byte_at(sequence, 0);
    if (sequence.size() == 1) return lead < 0x20 || lead == 0x7f;
    return sequence.size() == 2 && lead == 0xc2 && byte_at(sequence, 1) < 0xa0;
}

std::optional<TextFault> check_encoding(std::string_view text) {
    constexpr std::string_view save = "save the file as UTF-8 without a byte order mark";
    if (text.starts_with("\xef\xbb\xbf"))
        return TextFault{{1, 1}, "the file begins with a byte order mark", std::string(save)};
    if (text.starts_with("\xff\xfe") || text.starts_with(std::string_view("\xfe\xff", 2)))
        return TextFault{{1, 1}, "the file is UTF-16, not UTF-8", std::string(save)};
    return std::nullopt;
}

}  // namespace

std::size_t utf8_sequence(std::string_view text) noexcept {
    if (text.empty()) return 0;
    const auto lead = byte_at(text, 0);
    if (lead < 0x80) return 1;
    std::size_t length = 0;
    if (lead >= 0xc2 && lead <= 0xdf) length = 2;
    if (lead >= 0xe0 && lead <= 0xef) length = 3;
    if (lead >= 0xf0 && lead <= 0xf4) length = 4;
    if (length == 0 || text.size() < length) return 0;
    for (std::size_t i = 1; i < length; ++i)
        if ((byte_at(text, i) & 0xc0U) != 0x80) return 0;
    // Overlong forms, surrogates and what lies beyond U+10FFFF.
    const auto second = byte_at(text, 1);
    if ((lead == 0xe0 && second < 0xa0) || (lead == 0xed && second > 0x9f)) return 0;
    if ((lead == 0xf0 && second < 0x90) || (lead == 0xf4 && second > 0x8f)) return 0;
    return length;
}

bool has_control_characters(std::string_view text) noexcept {
    while (!text.empty()) {
        const auto length = utf8_sequence(text);
        if (length == 0 || is_control(text.substr(0, length))) return true;
        text.remove_prefix(length);
    }
    return false;
}

bool carries_password(std::string_view text) {
    const auto lower = base::to_lower(text);
    if (lower.find("password=") != std::string::npos || lower.find("passwd=") != std::string::npos) return true;
    const auto scheme = text.find("://");
    if (scheme == std::string_view::npos) return false;
    const auto authority = text.substr(scheme + 3);
    const auto at = authority.find('@');
    return at != std::string_view::npos && authority.substr(0, at).find(':') != std::string_view::npos;
}

std::optional<TextFault> check_text(std::string_view text) {
    if (auto fault = check_encoding(text)) return fault;
    Place place{1, 1};
    bool indenting = true;     // only blanks so far on this line
    std::optional<Place> tab;  // the first tab among them
    while (!text.empty()) {
        const auto length = utf8_sequence(text);
        if (length == 0)
            return TextFault{place, fmt::format("byte 0x{:02x} is not UTF-8 text", byte_at(text, 0)),
                             "save the file as UTF-8"};
        const auto sequence = text.substr(0, length);
        const char c = text.front();
        if (c == '\n') {
            place = {place.line + 1, 1};
            indenting = true;
            tab.reset();
            text.remove_prefix(1);
            continue;
        }
        const bool line_end = c == '\r' && text.starts_with("\r\n");
        if (c == '\t') {
            if (indenting && !tab) tab = place;
        } else if (is_control(sequence) && !line_end) {
            return TextFault{place, fmt::format("control character 0x{:02x}", byte_at(text, length - 1)), "remove it"};
        } else if (c != ' ' && !line_end) {
            // Before a comment a tab does no harm.
            if (indenting && tab && c != '#') return TextFault{*tab, "a tab in the indentation", "use spaces"};
            indenting = false;
        }
        ++place.column;
        text.remove_prefix(length);
    }
    return std::nullopt;
}

}  // namespace pgbakd::config
