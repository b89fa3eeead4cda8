// Files of environment variables, of which there is no standard: what docker compose, systemd, the shell and the dotenv
// libraries agree on. Where they differ, the reading that takes out more holds.
#include "base/text.hpp"
#include "source/redact_edits.hpp"

namespace pgbakd::source {
namespace {

bool is_key_character(char c) {
    return base::is_letter(c) || base::is_digit(c) || c == '_' || c == '-' || c == '.';
}

bool is_quote(char c) {
    return c == '"' || c == '\'' || c == '`';
}

class EnvParser {
  public:
    EnvParser(std::string_view text, const KeyPatterns& keys, RedactEdits& edits)
        : text_(text), keys_(keys), edits_(edits) {}

    void parse() {
        while (at_ < text_.size()) line();
    }

  private:
    [[nodiscard]] char peek(std::size_t at) const { return at < text_.size() ? text_[at] : '\0'; }
    [[noreturn]] void fail(const char* what) const { throw NotUnderstood{at_, what}; }

    void line() {
        const auto end = end_of_line(text_, at_);
        auto at = skip_blanks(text_, at_, end);
        if (at == end || text_[at] == '#') {
            at_ = next_line(text_, end);
            return;
        }
        if (text_.substr(at, end - at).starts_with("export") && is_blank(peek(at + 6)))
            at = skip_blanks(text_, at + 6, end);
        const char quote = at < end && is_quote(text_[at]) ? text_[at++] : '\0';
        const auto begin = at;
        while (at < end && is_key_character(text_[at])) ++at;
        const auto key = text_.substr(begin, at - begin);
        if (key.empty() || (quote != '\0' && peek(at++) != quote)) fail("neither KEY=value nor a comment");
        at = skip_blanks(text_, at, end);
        if (at == end) {  // exported without a value
            at_ = next_line(text_, end);
            return;
        }
        const bool colon = text_[at] == ':' && (at + 1 == end || is_blank(text_[at + 1]));
        if (text_[at] != '=' && !colon) fail("neither KEY=value nor a comment");
        const auto sign = at;
        at = skip_blanks(text_, sign + 1, end);
        // Nothing, or nothing but a comment.
        if (at == end || (text_[at] == '#' && at > sign + 1))
            at_ = next_line(text_, end);
        else if (keys_.match(key))
            secret(at, end);
        else
            other(at, end);
    }

    // The quote that ends what begins at `at`; npos if there is none.
    [[nodiscard]] std::size_t closing_quote(std::size_t at) const {
        const char quote = text_[at];
        for (++at; at < text_.size(); ++at) {
            if (text_[at] == quote) return at;
            if (text_[at] == '\\' && quote == '"') ++at;
        }
        return std::string_view::npos;
    }

    // Whether nothing but a comment stands between `at` and the end of its line.
    [[nodiscard]] bool only_comment_after(std::size_t at) const {
        const auto end = end_of_line(text_, at);
        const auto next = skip_blanks(text_, at, end);
        return next == end || (text_[next] == '#' && next > at);
    }

    // Where a value without quotes ends.
    [[nodiscard]] std::size_t end_of_value(std::size_t begin, std::size_t end) const {
        for (auto at = begin + 1; at < end; ++at)
            if (text_[at] == '#' && is_blank(text_[at - 1])) return trim_end(text_, begin, at);
        return trim_end(text_, begin, end);
    }

    [[nodiscard]] bool continues(std::size_t begin, std::size_t end) const {
        std::size_t strokes = 0;
        while (end > begin && text_[end - 1] == '\\') --end, ++strokes;
        return strokes % 2 == 1;
    }

    void secret(std::size_t begin, std::size_t end) {
        if (is_quote(text_[begin])) {
            const auto close = closing_quote(begin);
            if (close == std::string_view::npos) fail("a quote that is not closed");
            const bool clear = only_comment_after(close + 1);
            if (clear) {
                edits_.replace(begin + 1, close, std::string(redacted_value));
                at_ = next_line(text_, close);
                return;
            }
            if (close > end) fail("something after a value of several lines");
        }
        auto value_end = is_quote(text_[begin]) ? trim_end(text_, begin, end) : end_of_value(begin, end);
        while (continues(begin, value_end) && value_end == end && end < text_.size()) {
            end = end_of_line(text_, next_line(text_, end));
            value_end = end;
        }
        edits_.replace(begin, value_end, std::string(redacted_value));
        at_ = next_line(text_, end);
    }

    void other(std::size_t begin, std::size_t end) {
        if (is_quote(text_[begin])) {
            const auto close = closing_quote(begin);
            if (close != std::string_view::npos && only_comment_after(close + 1)) {
                // To who reads line by line these are lines of their own.
                for (auto at = next_line(text_, begin); at < close; at = next_line(text_, at))
                    inner_line(at, std::min(end_of_line(text_, at), close));
                at_ = next_line(text_, close);
                return;
            }
        }
        while (continues(begin, end) && end < text_.size()) end = end_of_line(text_, next_line(text_, end));
        // Shells take more than one assignment in a line.
        const auto gap = text_.substr(begin, end - begin).find_first_of(" \t;&\n");
        if (gap != std::string_view::npos) inner_line(begin + gap, end);
        at_ = next_line(text_, end);
    }

    void inner_line(std::size_t begin, std::size_t end) {
        if (const auto value = value_in_line(text_.substr(begin, end - begin), keys_))
            edits_.replace(begin + *value, end, std::string(redacted_value));
    }

    std::string_view text_;
    const KeyPatterns& keys_;
    RedactEdits& edits_;
    std::size_t at_ = 0;
};

}  // namespace

void redact_env(std::string_view text, const KeyPatterns& keys, RedactEdits& edits) {
    EnvParser(text, keys, edits).parse();
}

}  // namespace pgbakd::source
