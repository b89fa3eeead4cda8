#include <utility>

#include "source/redact_yaml.hpp"

namespace pgbakd::source {
namespace {

constexpr int deepest = 200;

bool is_flow_indicator(char c) {
    return std::string_view(",[]{}").find(c) != std::string_view::npos;
}

}  // namespace

// Blanks, line ends, comments.
void YamlScanner::flow_skip() {
    for (;; ++at_) {
        if (at_ >= text_.size()) fail("a list or a map without an end");
        if (at_marker(at_)) fail("a list or a map without an end");
        if (peek() == '#' && blank_at(at_ - 1)) at_ = end_of_line(text_, at_);
        if (!blank_at(at_)) return;
    }
}

void YamlScanner::flow(int depth) {
    if (depth > deepest) fail("nested too deeply");
    const char close = peek() == '{' ? '}' : ']';
    ++at_;
    for (flow_skip(); peek() != close; flow_skip()) {
        if (peek() == ']' || peek() == '}') fail("an end of something else");
        if (peek() == ',')
            ++at_;
        else
            flow_entry(depth);
    }
    ++at_;
}

bool YamlScanner::flow_node(int depth, Scalar& scalar) {
    scalar = {at_, at_, '\0'};
    switch (peek()) {
        case '"':
        case '\'': scalar = quoted(); return true;
        case '{':
        case '[': flow(depth + 1); break;
        case '*': alias(); break;
        default: scalar = flow_plain(); return true;
    }
    scalar.end = at_;
    return false;
}

void YamlScanner::flow_entry(int depth) {
    if (peek() == '?' && blank_at(at_ + 1)) fail("a complex key");
    const auto first_properties = properties(true);
    flow_skip();
    if (is_flow_indicator(peek()) && peek() != '{' && peek() != '[') return;  // an empty value
    // Whether it is a key shows only behind it; what refers to a secret is none.
    const bool hide_first = is_hidden(first_properties) && !is_secret_;
    const bool was_secret = std::exchange(is_secret_, is_secret_ || hide_first);
    Scalar first;
    const bool is_scalar = flow_node(depth, first);
    is_secret_ = was_secret;
    flow_skip();
    if (peek() != ':') {
        if (hide_first)
            hide_value(first_properties, first);
        else if (is_scalar && !is_secret_)
            hide_assigned(first);
    } else {
        if (!is_scalar || first_properties.any()) fail("a key that is no word");
        ++at_;
        flow_skip();
        const auto value_properties = properties(true);
        flow_skip();
        if (peek() != ',' && peek() != ']' && peek() != '}') {
            const bool hide = !is_secret_ && (keys_.match(text_of(first)) || is_hidden(value_properties));
            const bool was = std::exchange(is_secret_, is_secret_ || hide);
            Scalar value;
            (void)flow_node(depth, value);
            is_secret_ = was;
            if (hide) hide_value(value_properties, value);
            flow_skip();
        }
    }
    if (peek() != ',' && peek() != ']' && peek() != '}') fail("no comma between values");
}

YamlScanner::Scalar YamlScanner::flow_plain() {
    if (std::string_view("#&*!|>%@`").find(peek()) != std::string_view::npos ||
        (blank_at(at_ + 1) && std::string_view("-?:").find(peek()) != std::string_view::npos))
        fail("a value that begins as none may");
    Scalar scalar{at_, at_, '\0'};
    for (; at_ < text_.size(); ++at_) {
        if (at_marker(at_)) fail("a list or a map without an end");
        if (is_flow_indicator(peek())) break;
        if (peek() == ':' && (blank_at(at_ + 1) || is_flow_indicator(peek(1)))) break;
        if (peek() == '#' && blank_at(at_ - 1)) break;
        if (!blank_at(at_)) scalar.end = at_ + 1;
    }
    if (scalar.end == scalar.begin) fail("no value where one should be");
    at_ = scalar.end;
    return scalar;
}

}  // namespace pgbakd::source
