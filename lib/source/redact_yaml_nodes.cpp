#include <algorithm>

#include "base/text.hpp"
#include "source/redact_yaml.hpp"

namespace pgbakd::source {
namespace {

constexpr std::string_view hidden_node = "\"***\"";

bool is_word_character(char c) {
    return base::is_digit(c) || base::is_letter(c) || c == '_' || c == '-' || c == '.';
}

bool is_name_character(char c) {
    return is_word_character(c) || static_cast<unsigned char>(c) >= 0x80;
}

bool is_tag_character(char c) {
    return is_word_character(c) || std::string_view("!:/%<>").find(c) != std::string_view::npos;
}

}  // namespace

void YamlScanner::fail(const char* what) const {
    throw NotUnderstood{std::min(at_, text_.size()), what};
}

bool YamlScanner::blank_at(std::size_t at) const {
    return at >= text_.size() || is_blank(text_[at]) || text_[at] == '\n' || text_[at] == '\r';
}

bool YamlScanner::at_line_end() const {
    const auto next = skip_blanks(text_, at_, text_.size());
    if (next == text_.size() || text_[next] == '\n' || text_[next] == '\r') return true;
    return text_[next] == '#' && (next == 0 || blank_at(next - 1));
}

bool YamlScanner::at_marker(std::size_t at) const {
    const auto word = text_.substr(at, 3);
    return (at == 0 || text_[at - 1] == '\n') && (word == "---" || word == "...") && blank_at(at + 3);
}

std::size_t YamlScanner::skip_empty_lines(std::size_t at) const {
    while (at < text_.size()) {
        const auto end = end_of_line(text_, at);
        const auto content = skip_blanks(text_, at, end);
        if (content < end && text_[content] != '#') break;
        at = next_line(text_, end);
    }
    return at;
}

YamlScanner::Column YamlScanner::indent_of(std::size_t line) const {
    auto at = line;
    while (at < text_.size() && text_[at] == ' ') ++at;
    return static_cast<Column>(at - line);
}

YamlScanner::Properties YamlScanner::properties(bool in_flow) {
    Properties found;
    found.begin = found.end = at_;
    while (peek() == '&' || peek() == '!') {
        const bool is_anchor = peek() == '&';
        if (is_anchor ? !found.anchor.empty() : found.tag) fail("two anchors or tags in front of one value");
        const auto begin = ++at_;
        const auto ends = [&] {
            return blank_at(at_) || (in_flow && std::string_view(",[]{}").find(peek()) != std::string_view::npos);
        };
        for (; !ends(); ++at_)
            if (is_anchor ? !is_name_character(peek()) : !is_tag_character(peek()))
                fail("an anchor or a tag of an unusual name");
        if (is_anchor && at_ == begin) fail("an anchor without a name");
        if (is_anchor) {
            found.anchor = text_.substr(begin, at_ - begin);
            if (is_secret_) found_.gone.insert(found.anchor);
        } else {
            found.tag = true;
        }
        found.end = at_;
        at_ = skip_blanks(text_, at_, text_.size());
    }
    return found;
}

std::size_t YamlScanner::end_of_quoted(std::size_t at, std::size_t end) const {
    const char quote = text_[at];
    for (++at; at < end; ++at) {
        if (text_[at] == '\\' && quote == '"') {
            ++at;
        } else if (text_[at] == quote) {
            if (quote == '"' || at + 1 >= end || text_[at + 1] != quote) return at + 1;
            ++at;
        }
    }
    return std::string_view::npos;
}

YamlScanner::Scalar YamlScanner::quoted() {
    const auto end = end_of_quoted(at_, text_.size());
    if (end == std::string_view::npos) fail("a quote that is not closed");
    for (auto line = next_line(text_, at_); line < end; line = next_line(text_, line))
        if (at_marker(line)) fail("a quote that is not closed");
    const Scalar scalar{at_, end, peek()};
    at_ = end;
    return scalar;
}

void YamlScanner::alias() {
    const auto begin = ++at_;
    while (at_ < text_.size() && is_name_character(peek())) ++at_;
    if (at_ == begin || (!blank_at(at_) && std::string_view(",]}").find(peek()) == std::string_view::npos))
        fail("an alias of an unusual name");
    const std::string name(text_.substr(begin, at_ - begin));
    if (is_secret_)
        found_.hidden.insert(name);
    else if (anchors_.gone.contains(name))
        edits_.replace(begin - 1, at_, std::string(hidden_node));
}

std::string YamlScanner::text_of(const Scalar& scalar) const {
    if (!scalar.quoted()) return std::string(text_.substr(scalar.begin, scalar.end - scalar.begin));
    const auto inner = text_.substr(scalar.begin + 1, scalar.end - scalar.begin - 2);
    if (scalar.quote == '"') return unescaped(inner);
    std::string text;
    for (std::size_t at = 0; at < inner.size(); ++at) {
        text += inner[at];
        if (inner[at] == '\'') ++at;
    }
    return text;
}

std::string YamlScanner::replacement(const Properties& properties) {
    return properties.anchor.empty() ? std::string(hidden_node)
                                     : "&" + properties.anchor + " " + std::string(hidden_node);
}

void YamlScanner::hide_value(const Properties& properties, const Scalar& value) {
    if (value.quoted() && !properties.tag)
        edits_.replace(value.begin + 1, value.end - 1, std::string(redacted_value));
    else
        edits_.replace(properties.any() ? properties.begin : value.begin, value.end, replacement(properties));
}

void YamlScanner::hide_assigned(const Scalar& item) {
    const std::size_t inset = item.quoted() ? 1 : 0;
    const auto inner = text_.substr(item.begin + inset, item.end - item.begin - 2 * inset);
    const auto value = item.quote == '"' ? assigned_value_quoted(inner, keys_) : assigned_value(inner, keys_);
    if (value) edits_.replace(item.begin + inset + *value, item.end - inset, std::string(redacted_value));
}

}  // namespace pgbakd::source
