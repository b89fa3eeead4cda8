#include "source/redact_edits.hpp"

#include <algorithm>
#include <charconv>

#include "base/text.hpp"

namespace pgbakd::source {
namespace {

bool is_key_character(char c) {
    return base::is_letter(c) || base::is_digit(c) || c == '_' || c == '-' || c == '.';
}

void append_utf8(std::string& text, unsigned long code) {
    const auto put = [&text](unsigned long byte) { text += static_cast<char>(byte); };
    if (code < 0x80) {
        put(code);
    } else if (code < 0x800) {
        put(0xC0U | code >> 6U);
        put(0x80U | (code & 0x3FU));
    } else if (code < 0x10000) {
        put(0xE0U | code >> 12U);
        put(0x80U | (code >> 6U & 0x3FU));
        put(0x80U | (code & 0x3FU));
    } else {
        put(0xF0U | (code >> 18U & 0x07U));
        put(0x80U | (code >> 12U & 0x3FU));
        put(0x80U | (code >> 6U & 0x3FU));
        put(0x80U | (code & 0x3FU));
    }
}

std::size_t hex_digits(char escape) {
    switch (escape) {
        case 'x': return 2;
        case 'u': return 4;
        case 'U': return 8;
        default: return 0;
    }
}

char plain_escape(char escape) {
    switch (escape) {
        case 'n': return '\n';
        case 't': return '\t';
        case 'r': return '\r';
        case 'b': return '\b';
        case 'f': return '\f';
        default: return escape;
    }
}

}  // namespace

void RedactEdits::replace(std::size_t begin, std::size_t end, std::string with) {
    edits_.push_back({begin, end, std::move(with)});
}

std::string RedactEdits::apply(std::string_view text) {
    std::stable_sort(edits_.begin(), edits_.end(), [](const Edit& one, const Edit& other) {
        return one.begin != other.begin ? one.begin < other.begin : one.end > other.end;
    });
    std::string result;
    std::size_t at = 0;
    for (const auto& edit : edits_) {
        if (edit.end <= at && at > 0) continue;
        const auto begin = std::max(at, edit.begin);
        result.append(text.substr(at, begin - at));
        if (begin == edit.begin) result += edit.with;
        at = edit.end;
    }
    return result.append(text.substr(at));
}

std::size_t end_of_line(std::string_view text, std::size_t at) {
    const auto end = std::min(text.find('\n', at), text.size());
    return end > at && end < text.size() && text[end - 1] == '\r' ? end - 1 : end;
}

std::size_t next_line(std::string_view text, std::size_t at) {
    const auto end = text.find('\n', at);
    return end == std::string_view::npos ? text.size() : end + 1;
}

std::size_t skip_blanks(std::string_view text, std::size_t at, std::size_t end) {
    while (at < end && is_blank(text[at])) ++at;
    return at;
}

std::size_t trim_end(std::string_view text, std::size_t begin, std::size_t end) {
    while (end > begin && is_blank(text[end - 1])) --end;
    return end;
}

std::string unescaped(std::string_view quoted) {
    std::string text;
    for (std::size_t at = 0; at < quoted.size(); ++at) {
        if (quoted[at] != '\\' || at + 1 == quoted.size()) {
            text += quoted[at];
            continue;
        }
        const char escape = quoted[++at];
        const auto digits = hex_digits(escape);
        unsigned long code = 0;
        const char* first = quoted.data() + at + 1;
        if (digits > 0 && quoted.size() - at - 1 >= digits &&
            std::from_chars(first, first + digits, code, 16).ptr == first + digits) {
            append_utf8(text, code);
            at += digits;
        } else {
            text += plain_escape(escape);
        }
    }
    return text;
}

std::optional<std::size_t> assigned_value(std::string_view scalar, const KeyPatterns& keys) {
    std::size_t begin = 0;
    if (scalar.starts_with("export ")) begin = skip_blanks(scalar, 7, scalar.size());
    while (begin < scalar.size() && scalar[begin] == '-') ++begin;
    auto end = begin;
    while (end < scalar.size() && is_key_character(scalar[end])) ++end;
    const auto equals = skip_blanks(scalar, end, scalar.size());
    if (equals + 1 >= scalar.size() || scalar[equals] != '=' || !keys.match(scalar.substr(begin, end - begin)))
        return std::nullopt;
    return equals + 1;
}

std::optional<std::size_t> assigned_value_quoted(std::string_view quoted, const KeyPatterns& keys) {
    const auto equals = quoted.find('=');
    if (quoted.substr(0, equals).find('\\') == std::string_view::npos) return assigned_value(quoted, keys);
    if (assigned_value(unescaped(quoted), keys)) return 0;
    return std::nullopt;
}

std::optional<std::size_t> value_in_line(std::string_view line, const KeyPatterns& keys) {
    for (std::size_t begin = 0; begin < line.size();) {
        if (!is_key_character(line[begin])) {
            ++begin;
            continue;
        }
        auto end = begin;
        while (end < line.size() && is_key_character(line[end])) ++end;
        auto sign = end;
        if (sign < line.size() && (line[sign] == '"' || line[sign] == '\'')) ++sign;
        sign = skip_blanks(line, sign, line.size());
        const bool is_assigned = sign < line.size() && (line[sign] == '=' || line[sign] == ':');
        if (is_assigned && keys.match(line.substr(begin, end - begin))) {
            const auto value = skip_blanks(line, sign + 1, line.size());
            if (value < line.size()) return value;
        }
        begin = end;
    }
    return std::nullopt;
}

}  // namespace pgbakd::source
