#include "alert/text.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "base/utf8.hpp"

namespace pgbakd::alert {
namespace {

constexpr std::string_view ellipsis = "…";
// U+200B: it takes no room, and what stands at its two sides is not one word any more.
constexpr std::string_view zero_width_space = "\xe2\x80\x8b";

std::size_t units_of(std::size_t bytes_of_character) noexcept {
    return bytes_of_character == 4 ? 2 : 1;
}

// What a character at the front of `rest` becomes. Discord's markdown takes a backslash before anything that is neither
// letter, digit nor blank; of a mention it does not, and neither do its servers.
// https://docs.discord.com/developers/reference#message-formatting
std::string escape(std::string_view character, std::string_view rest, bool at_line_begin) {
    std::string plain(character);
    if (character == "@") return plain + std::string(zero_width_space);
    if (character.size() == 1 && std::string_view("\\*_~`|<>[]()").find(character.front()) != std::string_view::npos)
        return "\\" + plain;
    // A heading, a small line, a list.
    if (at_line_begin && (character == "#" || character == "-" || character == "+")) return "\\" + plain;
    if (rest.starts_with("://")) return "\\" + plain;
    return plain;
}

}  // namespace

std::string tidy(std::string_view text) {
    std::string result;
    for (const auto line : base::split(base::trim(text), '\n')) {
        if (!result.empty()) result += '\n';
        result += base::printable(line.ends_with('\r') ? line.substr(0, line.size() - 1) : line);
    }
    return result;
}

std::size_t units(std::string_view text) noexcept {
    std::size_t count = 0;
    while (!text.empty()) {
        const auto bytes = std::max(base::utf8_length(text), std::size_t{1});
        count += units_of(bytes);
        text.remove_prefix(bytes);
    }
    return count;
}

std::string escaped_for_discord(std::string_view text, std::size_t limit) {
    const auto clean = tidy(text);
    std::string result;
    std::size_t used = 0;
    // As far as it is known to be right to stop, with room for the mark.
    std::size_t safe = 0;
    bool at_line_begin = true;
    for (std::string_view rest = clean; !rest.empty();) {
        const auto bytes = base::utf8_length(rest);
        const auto character = rest.substr(0, bytes);
        const auto piece = escape(character, rest, at_line_begin);
        const auto size = units(piece);
        if (used + size > limit) {
            result.resize(safe);
            if (limit > 0) result += ellipsis;
            return result;
        }
        result += piece;
        used += size;
        if (used < limit) safe = result.size();
        at_line_begin = character == "\n" || (at_line_begin && character == " ");
        rest.remove_prefix(bytes);
    }
    return result;
}

}  // namespace pgbakd::alert
