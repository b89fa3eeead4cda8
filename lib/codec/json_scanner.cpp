#include "codec/json_scanner.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"

namespace pgbakd::codec {

namespace {

using base::Error;
using base::ErrorCode;
using base::Status;

constexpr bool is_blank(char c) noexcept {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}
constexpr bool is_of_number(char c) noexcept {
    return base::is_digit(c) || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E';
}

// The grammar of RFC 8259, section 6.
bool is_number(std::string_view text) noexcept {
    std::size_t at = 0;
    const auto digits = [&text, &at] {
        const auto from = at;
        while (at < text.size() && base::is_digit(text[at])) ++at;
        return at - from;
    };
    if (at < text.size() && text[at] == '-') ++at;
    const bool zero = at < text.size() && text[at] == '0';
    const auto whole = digits();
    if (whole == 0 || (zero && whole > 1)) return false;
    if (at < text.size() && text[at] == '.') {
        ++at;
        if (digits() == 0) return false;
    }
    if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
        ++at;
        if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
        if (digits() == 0) return false;
    }
    return at == text.size();
}

}  // namespace

Error JsonScanner::damaged(std::string_view fact) const {
    return {ErrorCode::corrupt, fmt::format("{} is damaged at byte {}: {}", what_, offset_, fact)};
}

Status JsonScanner::write(Bytes bytes) {
    for (const std::byte byte : bytes) {
        if (auto status = take(static_cast<char>(byte)); !status) return status;
        ++offset_;
    }
    return {};
}

Status JsonScanner::finish() {
    if (inside_ == Inside::number || inside_ == Inside::word)
        if (auto status = end_plain(); !status) return status;
    if (inside_ != Inside::none || expect_ != Expect::nothing) return damaged("it is cut off");
    return {};
}

Status JsonScanner::take(char c) {
    switch (inside_) {
        case Inside::none: return take_structure(c);
        case Inside::text: return take_text(c);
        case Inside::escape: return take_escape(c);
        case Inside::code: return take_code(c);
        case Inside::number:
            if (is_of_number(c)) return append(c);
            break;
        case Inside::word:
            if (base::is_letter(c)) return append(c);
            break;
    }
    if (auto status = end_plain(); !status) return status;
    return take_structure(c);
}

Status JsonScanner::take_structure(char c) {
    if (is_blank(c)) return {};
    switch (c) {
        case '{':
        case '[': return begin(c);
        case '}':
        case ']': return end(c);
        case ':':
            if (expect_ != Expect::colon) return damaged("a colon where none belongs");
            expect_ = Expect::value;
            return {};
        case ',':
            if (expect_ != Expect::comma_or_end || open_.empty()) return damaged("a comma where none belongs");
            expect_ = open_.back() == '{' ? Expect::key : Expect::value;
            return {};
        case '"':
            if (!expects_value() && expect_ != Expect::key && expect_ != Expect::key_or_end)
                return damaged("a text where none belongs");
            inside_ = Inside::text;
            text_.clear();
            return {};
        default: break;
    }
    if (!expects_value() || (!is_of_number(c) && !base::is_letter(c))) return damaged("something that is no JSON");
    inside_ = base::is_letter(c) ? Inside::word : Inside::number;
    text_.assign(1, c);
    return {};
}

Status JsonScanner::begin(char c) {
    if (!expects_value()) return damaged("a bracket where none belongs");
    if (open_.size() == deepest) return damaged("too many brackets in each other");
    open_.push_back(c);
    expect_ = c == '{' ? Expect::key_or_end : Expect::value_or_end;
    return handler_.on_token(c == '{' ? JsonToken::object_begin : JsonToken::array_begin, {});
}

Status JsonScanner::end(char c) {
    const char opening = c == '}' ? '{' : '[';
    const auto empty = c == '}' ? Expect::key_or_end : Expect::value_or_end;
    if (open_.empty() || open_.back() != opening || (expect_ != Expect::comma_or_end && expect_ != empty))
        return damaged("a bracket where none belongs");
    open_.pop_back();
    after_value();
    return handler_.on_token(c == '}' ? JsonToken::object_end : JsonToken::array_end, {});
}

void JsonScanner::after_value() noexcept {
    expect_ = open_.empty() ? Expect::nothing : Expect::comma_or_end;
}

Status JsonScanner::append(char c) {
    if (text_.size() == longest) return damaged("a text that is too long");
    text_ += c;
    return {};
}

Status JsonScanner::take_text(char c) {
    if (high_ != 0 && c != '\\') return damaged("half of a pair of surrogates");
    if (c == '"') return end_text();
    if (c == '\\') {
        inside_ = Inside::escape;
        return {};
    }
    if (static_cast<unsigned char>(c) < 0x20) return damaged("a control character in a text");
    return append(c);
}

Status JsonScanner::take_escape(char c) {
    if (c == 'u') {
        inside_ = Inside::code;
        code_ = 0;
        digits_ = 0;
        return {};
    }
    constexpr std::string_view names = "\"\\/bfnrt";
    constexpr std::string_view meanings = "\"\\/\b\f\n\r\t";
    const auto at = names.find(c);
    if (at == std::string_view::npos || high_ != 0) return damaged("an escape that is none");
    inside_ = Inside::text;
    return append(meanings[at]);
}

Status JsonScanner::take_code(char c) {
    constexpr std::string_view hex = "0123456789abcdef";
    const auto digit = hex.find(c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c);
    if (digit == std::string_view::npos) return damaged("an escape that is none");
    code_ = code_ * 16 + static_cast<std::uint32_t>(digit);
    if (++digits_ < 4) return {};
    inside_ = Inside::text;
    return append_code_point();
}

Status JsonScanner::append_code_point() {
    const bool is_low = code_ >= 0xdc00 && code_ < 0xe000;
    if (is_low != (high_ != 0)) return damaged("half of a pair of surrogates");
    if (code_ >= 0xd800 && code_ < 0xdc00) {
        high_ = code_;
        return {};
    }
    auto point = code_;
    if (is_low) point = 0x10000 + ((high_ - 0xd800) << 10U) + (code_ - 0xdc00);
    high_ = 0;
    // UTF-8 (RFC 3629).
    const auto tail = [point](unsigned shift) { return static_cast<char>(0x80U | ((point >> shift) & 0x3fU)); };
    std::string bytes;
    if (point < 0x80) {
        bytes = {static_cast<char>(point)};
    } else if (point < 0x800) {
        bytes = {static_cast<char>(0xc0U | (point >> 6U)), tail(0)};
    } else if (point < 0x10000) {
        bytes = {static_cast<char>(0xe0U | (point >> 12U)), tail(6), tail(0)};
    } else {
        bytes = {static_cast<char>(0xf0U | (point >> 18U)), tail(12), tail(6), tail(0)};
    }
    for (const char c : bytes)
        if (auto status = append(c); !status) return status;
    return {};
}

Status JsonScanner::end_text() {
    inside_ = Inside::none;
    if (expect_ == Expect::key || expect_ == Expect::key_or_end) {
        expect_ = Expect::colon;
        return handler_.on_token(JsonToken::key, text_);
    }
    after_value();
    return handler_.on_token(JsonToken::text, text_);
}

Status JsonScanner::end_plain() {
    const bool number = inside_ == Inside::number;
    inside_ = Inside::none;
    if (number ? !is_number(text_) : text_ != "true" && text_ != "false" && text_ != "null")
        return damaged("something that is no JSON");
    after_value();
    return handler_.on_token(number ? JsonToken::number : JsonToken::word, text_);
}

}  // namespace pgbakd::codec
