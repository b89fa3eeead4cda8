#include "source/redact_yaml.hpp"

#include <algorithm>
#include <utility>

#include "base/text.hpp"

namespace pgbakd::source {
namespace {

constexpr int most_passes = 50;

}  // namespace

void redact_yaml(std::string_view text, const KeyPatterns& keys, RedactEdits& edits) {
    // A value that is an alias says that the node it stands for is a secret, and that may refer to others.
    YamlScanner::Anchors anchors;
    for (int pass = 0; pass < most_passes; ++pass) {
        RedactEdits found;
        YamlScanner scanner(text, keys, anchors, found);
        scanner.scan();
        if (scanner.anchors() == anchors) {
            edits = std::move(found);
            return;
        }
        anchors = scanner.anchors();
    }
    throw NotUnderstood{0, "aliases that refer to aliases without end"};
}

void YamlScanner::scan() {
    lines(outside, false);
    if (at_ < text_.size()) fail("what belongs to nothing");
}

bool YamlScanner::belongs(Column above, bool items_at_above) const {
    if (at_marker(at_)) return false;
    const auto indent = indent_of(at_);
    const auto content = at_ + static_cast<std::size_t>(indent);
    return indent > above || (items_at_above && indent == above && text_[content] == '-' && blank_at(content + 1));
}

void YamlScanner::lines(Column above, bool items_at_above) {
    for (;;) {
        at_ = skip_empty_lines(at_);
        if (at_ == text_.size()) return;
        if (above == outside && at_marker(at_)) {
            document_start();
            continue;
        }
        if (above == outside && peek() == '%') {
            end_line();
            continue;
        }
        if (text_[at_ + static_cast<std::size_t>(indent_of(at_))] == '\t') fail("a tab as indentation");
        if (!belongs(above, items_at_above)) return;
        line_ = at_;
        at_ += static_cast<std::size_t>(indent_of(at_));
        entry();
    }
}

void YamlScanner::document_start() {
    const bool is_end = peek() == '.';
    open_ = outside;
    at_ = skip_blanks(text_, at_ + 3, text_.size());
    if (at_line_end()) {
        end_line();
        return;
    }
    if (is_end) fail("something after the end of a document");
    const auto properties = this->properties(false);
    Key key;
    if (peek() == '-' || find_key(key)) fail("something after the beginning of a document");
    if (at_line_end()) {
        end_line();
        return;
    }
    open_.reset();
    node(outside, properties, false, is_hidden(properties));
}

// The rest of the line: nothing, or a comment.
void YamlScanner::end_line() {
    last_ = std::max(last_, at_);
    at_ = next_line(text_, at_);
}

void YamlScanner::finish_node(Column parent) {
    if (!at_line_end()) fail("something after a value");
    end_line();
    check_indent_after(parent);
}

void YamlScanner::check_indent_after(Column parent) const {
    const auto next = skip_empty_lines(at_);
    if (next < text_.size() && !at_marker(next) && indent_of(next) > parent)
        throw NotUnderstood{next, "a line that is indented too deeply"};
}

void YamlScanner::entry() {
    Column parent = column() - 1;
    bool is_item = false;
    while (peek() == '-' && blank_at(at_ + 1)) {
        parent = column();
        is_item = true;
        ++at_;
        if (at_line_end()) {
            open_ = parent;
            end_line();
            return;
        }
        while (peek() == ' ') ++at_;
        if (peek() == '\t') fail("a tab as indentation");
    }
    if (peek() == '?' && blank_at(at_ + 1)) fail("a complex key");
    const auto begin = at_;
    const auto properties = this->properties(false);
    const bool is_awaited = is_item || (open_ && *open_ < static_cast<Column>(begin - line_));
    if (properties.any() && at_line_end()) {
        if (!is_awaited) fail("a value that belongs to nothing");
        open_ = parent;
        if (is_hidden(properties) && !is_secret_)
            hide_nested(parent, false, properties, at_);
        else
            end_line();
        return;
    }
    Key key;
    if (!find_key(key)) {
        if (!is_awaited) fail("a value that belongs to nothing");
        open_.reset();
        node(parent, properties, is_item, is_hidden(properties));
        return;
    }
    if (properties.any()) fail("an anchor or a tag in front of a key");
    at_ = begin;
    const auto key_column = column();
    at_ = key.end;
    value_of(key, key_column);
}

bool YamlScanner::find_key(Key& key) const {
    const auto end = end_of_line(text_, at_);
    if (peek() == '"' || peek() == '\'') {
        const auto closed = end_of_quoted(at_, end);
        if (closed == std::string_view::npos) return false;  // it goes on in the next line, and keys do not
        const auto colon = skip_blanks(text_, closed, end);
        if (colon == end || text_[colon] != ':') return false;
        if (!blank_at(colon + 1)) fail("no blank after a colon");
        key = {text_of({at_, closed, peek()}), colon + 1};
        return true;
    }
    if (std::string_view("{}[],|>*&!%@`").find(peek()) != std::string_view::npos) return false;
    for (auto at = at_; at < end; ++at) {
        if (text_[at] == '#' && at > at_ && is_blank(text_[at - 1])) return false;
        if (text_[at] != ':' || !blank_at(at + 1)) continue;
        if (at == at_) fail("a key that is empty");
        key = {std::string(text_.substr(at_, trim_end(text_, at_, at) - at_)), at + 1};
        return true;
    }
    return false;
}

void YamlScanner::value_of(const Key& key, Column column) {
    const auto after = at_;
    at_ = skip_blanks(text_, at_, text_.size());
    const auto properties = this->properties(false);
    const bool hide = keys_.match(key.text) || is_hidden(properties);
    open_.reset();
    if (at_line_end()) open_ = column;
    if (!open_)
        node(column, properties, false, hide);
    else if (hide && !is_secret_)
        hide_nested(column, true, properties, after);
    else
        end_line();
}

void YamlScanner::hide_nested(Column parent, bool items_at_parent, const Properties& properties, std::size_t after) {
    end_line();
    const auto first = skip_empty_lines(at_);
    at_ = first;
    if (first == text_.size() || !belongs(parent, items_at_parent)) return;
    is_secret_ = true;
    lines(parent, items_at_parent);
    is_secret_ = false;
    if (properties.any())
        edits_.replace(properties.begin, properties.end, replacement(properties));
    else
        edits_.replace(after, after, ' ' + replacement({}));
    edits_.replace(first, next_line(text_, last_), {});
}

void YamlScanner::node(Column parent, const Properties& properties, bool is_item, bool hide) {
    hide = hide && !is_secret_;
    if (peek() == '|' || peek() == '>') {
        block_scalar(parent, properties, is_item, hide);
        return;
    }
    const bool was_secret = std::exchange(is_secret_, is_secret_ || hide);
    Scalar value{at_, at_, '\0'};
    bool is_scalar = true;
    switch (peek()) {
        case '"':
        case '\'': value = quoted(); break;
        case '{':
        case '[':
            is_scalar = false;
            flow(0);
            value.end = at_;
            break;
        case '*':
            is_scalar = false;
            alias();
            value.end = at_;
            break;
        default: value = plain(parent);
    }
    is_secret_ = was_secret;
    if (hide)
        hide_value(properties, value);
    else if (is_item && is_scalar && !is_secret_)
        hide_assigned(value);
    finish_node(parent);
}

// Where what is plain ends in that line.
std::size_t YamlScanner::plain_in_line(std::size_t at, std::size_t end) const {
    const auto begin = at;
    for (; at < end; ++at) {
        if (text_[at] == '#' && at > begin && is_blank(text_[at - 1])) break;
        if (text_[at] == ':' && blank_at(at + 1)) throw NotUnderstood{at, "a key within a value"};
    }
    return trim_end(text_, begin, at);
}

YamlScanner::Scalar YamlScanner::plain(Column parent) {
    const bool alone = blank_at(at_ + 1);
    if (std::string_view(",[]{}#&*!|>%@`").find(peek()) != std::string_view::npos ||
        (alone && std::string_view("-?:").find(peek()) != std::string_view::npos))
        fail("a value that begins as none may");
    Scalar scalar{at_, at_, '\0'};
    for (auto line = at_;;) {
        const auto end = end_of_line(text_, line);
        const auto begin = skip_blanks(text_, line, end);
        scalar.end = plain_in_line(begin, end);
        if (skip_blanks(text_, scalar.end, end) < end) break;  // a comment ends it
        auto next = next_line(text_, end);
        while (next < text_.size() && skip_blanks(text_, next, end_of_line(text_, next)) == end_of_line(text_, next))
            next = next_line(text_, next);
        if (next == text_.size() || at_marker(next)) break;
        const auto indent = indent_of(next);
        const char first = text_[next + static_cast<std::size_t>(indent)];
        if (first == '\t' && indent <= parent) throw NotUnderstood{next, "a tab as indentation"};
        if (indent <= parent || text_[skip_blanks(text_, next, text_.size())] == '#') break;
        line = next;
    }
    at_ = scalar.end;
    return scalar;
}

void YamlScanner::block_scalar(Column parent, const Properties& properties, bool is_item, bool hide) {
    ++at_;
    Column explicit_indent = 0;
    for (int i = 0; i < 2; ++i) {
        if (peek() >= '1' && peek() <= '9' && explicit_indent == 0)
            explicit_indent = text_[at_++] - '0';
        else if (peek() == '+' || peek() == '-')
            ++at_;
    }
    if (!blank_at(at_) || !at_line_end()) fail("something after the head of a block");
    end_line();
    const auto first = at_;
    const auto is_empty = [this](std::size_t line) {
        return skip_blanks(text_, line, end_of_line(text_, line)) == end_of_line(text_, line);
    };
    auto line = first;
    while (line < text_.size() && is_empty(line)) line = next_line(text_, line);
    if (line == text_.size() || at_marker(line)) return;
    const auto head = line;  // the first line of its text
    auto indent = indent_of(line);
    if (explicit_indent > 0) {
        if (parent == outside) fail("a block with an indentation of its own outside of all others");
        indent = parent + explicit_indent;
    }
    if (indent_of(line) > parent && indent == 0) fail("a block without indentation");
    if (indent > parent)
        for (; line < text_.size() && (is_empty(line) || indent_of(line) >= indent); line = next_line(text_, line)) {
            if (is_empty(line)) continue;
            last_ = std::max(last_, line);
            at_ = next_line(text_, line);
            if (hide || is_secret_) continue;
            const auto content = text_.substr(line, end_of_line(text_, line) - line);
            if (const auto value = value_in_line(content, keys_))
                edits_.replace(line + *value, line + content.size(), std::string(redacted_value));
        }
    check_indent_after(parent);
    if (at_ == first) return;
    const auto end = end_of_line(text_, last_);
    if (is_item && !hide && !is_secret_) {
        const auto begin = head + static_cast<std::size_t>(indent);
        if (const auto value = assigned_value(text_.substr(begin, end - begin), keys_))
            edits_.replace(begin + *value, end, std::string(redacted_value));
    }
    if (!hide) return;
    if (properties.tag)
        edits_.replace(properties.begin, end, replacement(properties));
    else
        edits_.replace(first, end, std::string(static_cast<std::size_t>(indent), ' ').append(redacted_value));
}

}  // namespace pgbakd::source
