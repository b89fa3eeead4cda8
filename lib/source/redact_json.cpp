// RFC 8259, with what many programs that read JSON as configuration allow too: comments, and commas before an end.
#include "base/text.hpp"
#include "source/redact_edits.hpp"

namespace pgbakd::source {
namespace {

constexpr int deepest = 200;

class JsonParser {
  public:
    JsonParser(std::string_view text, const KeyPatterns& keys, RedactEdits& edits)
        : text_(text), keys_(keys), edits_(edits) {}

    void parse() {
        for (skip(); at_ < text_.size(); skip()) value(0, false);
    }

  private:
    [[noreturn]] void fail(const char* what) const { throw NotUnderstood{std::min(at_, text_.size()), what}; }
    [[nodiscard]] char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

    // Spaces, line ends, comments.
    void skip() {
        for (;;) {
            const auto rest = text_.substr(at_);
            if (rest.empty()) return;
            if (is_blank(rest.front()) || rest.front() == '\n' || rest.front() == '\r') {
                ++at_;
            } else if (rest.starts_with("//")) {
                // Of a text with other line ends all could be one comment, or not.
                at_ = end_of_line(text_, at_);
                if (rest.substr(0, at_ - (text_.size() - rest.size())).find('\r') != std::string_view::npos)
                    fail("a carriage return within a line");
            } else if (rest.starts_with("/*")) {
                const auto end = text_.find("*/", at_ + 2);
                if (end == std::string_view::npos) fail("a comment without an end");
                at_ = end + 2;
            } else {
                return;
            }
        }
    }

    // What is between the quotes.
    std::string_view string() {
        const auto begin = ++at_;
        for (; peek() != '"'; ++at_) {
            if (at_ >= text_.size() || static_cast<unsigned char>(peek()) < ' ') fail("a string without an end");
            if (peek() == '\\') ++at_;
        }
        return text_.substr(begin, at_++ - begin);
    }

    void word() {
        const auto begin = at_;
        while (base::is_letter(peek()) || base::is_digit(peek()) || peek() == '-' || peek() == '+' || peek() == '.')
            ++at_;
        if (at_ == begin) fail("no value where one should be");
    }

    void value(int depth, bool in_list) {
        if (depth > deepest) fail("nested too deeply");
        switch (peek()) {
            case '{': object(depth); break;
            case '[': list(depth); break;
            case '"': {
                const auto begin = at_ + 1;
                const auto text = string();
                if (!in_list) break;
                if (const auto assigned = assigned_value_quoted(text, keys_))
                    edits_.replace(begin + *assigned, begin + text.size(), std::string(redacted_value));
                break;
            }
            default: word();
        }
    }

    void object(int depth) {
        ++at_;
        for (skip(); peek() != '}'; skip()) {
            if (peek() != '"') fail("no key where one should be");
            const bool secret = keys_.match(unescaped(string()));
            skip();
            if (peek() != ':') fail("a key without a value");
            ++at_;
            skip();
            const auto begin = at_;
            value(depth + 1, false);
            if (secret) edits_.replace(begin, at_, '"' + std::string(redacted_value) + '"');
            end_of_item('}');
        }
        ++at_;
    }

    void list(int depth) {
        ++at_;
        for (skip(); peek() != ']'; skip()) {
            value(depth + 1, true);
            end_of_item(']');
        }
        ++at_;
    }

    void end_of_item(char end) {
        skip();
        if (peek() == ',')
            ++at_;
        else if (peek() != end)
            fail("no comma between values");
    }

    std::string_view text_;
    const KeyPatterns& keys_;
    RedactEdits& edits_;
    std::size_t at_ = 0;
};

}  // namespace

void redact_json(std::string_view text, const KeyPatterns& keys, RedactEdits& edits) {
    JsonParser(text, keys, edits).parse();
}

}  // namespace pgbakd::source
