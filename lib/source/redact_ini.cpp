// INI files and what looks like them: my.cnf, redis.conf, postgresql.conf, setup.cfg. No standard either: where the
// programs that read them differ, the reading that takes out more holds.
#include "base/text.hpp"
#include "source/redact_edits.hpp"

namespace pgbakd::source {
namespace {

bool is_comment(char c) {
    return c == '#' || c == ';';
}

std::string_view without_quotes(std::string_view text) {
    const bool quoted = text.size() > 1 && (text.front() == '"' || text.front() == '\'') && text.back() == text.front();
    return quoted ? text.substr(1, text.size() - 2) : text;
}

class IniParser {
  public:
    IniParser(std::string_view text, const KeyPatterns& keys, RedactEdits& edits)
        : text_(text), keys_(keys), edits_(edits) {}

    void parse() {
        if (base::trim(text_).starts_with("<?") || base::trim(text_).starts_with("<!"))
            throw NotUnderstood{0, "it is XML"};
        while (at_ < text_.size()) line();
    }

  private:
    void line() {
        const auto end = end_of_line(text_, at_);
        const auto begin = skip_blanks(text_, at_, end);
        const auto next = next_line(text_, end);
        if (begin < end && !is_comment(text_[begin])) {
            const auto line = text_.substr(begin, end - begin);
            if (const auto value = secret_value(line)) {
                secret(begin, begin + *value, end);
                return;
            }
            check_markup(line);
            if (const auto value = value_in_line(line, keys_)) {
                // The quote that a whole value stands in.
                const auto last = trim_end(text_, begin, end);
                const bool quoted = (line.find('"') < *value && text_[last - 1] == '"') ||
                                    (line.find('\'') < *value && text_[last - 1] == '\'');
                const auto stop = quoted && last - 1 > begin + *value ? last - 1 : last;
                edits_.replace(begin + *value, stop, std::string(redacted_value));
            }
        }
        at_ = next;
    }

    void check_markup(std::string_view line) const {
        if (!line.starts_with('<')) return;
        const auto word = line.substr(1, line.find_first_of(" \t>/", 1) - 1);
        if (keys_.match(word)) throw NotUnderstood{at_, "markup with a secret in it"};
    }

    // Where in a line the value begins, if its key is one of these; that may be the end of the line.
    [[nodiscard]] std::optional<std::size_t> secret_value(std::string_view line) const {
        const auto sign = line.find_first_of("=:");
        if (sign != std::string_view::npos && keys_.match(without_quotes(base::trim(line.substr(0, sign)))))
            return skip_blanks(line, sign + 1, line.size());
        const auto gap = line.find_first_of(" \t");
        if (gap == std::string_view::npos || !keys_.match(without_quotes(line.substr(0, gap)))) return std::nullopt;
        auto value = skip_blanks(line, gap, line.size());
        if (value < line.size() && (line[value] == '=' || line[value] == ':'))
            value = skip_blanks(line, value + 1, line.size());
        return value;
    }

    void secret(std::size_t key, std::size_t value, std::size_t end) {
        const auto indent = key - at_;
        const auto line_begin = at_;
        auto last = trim_end(text_, value, end);
        // Lines that a \ adds, then those that are indented deeper, with empty ones between them.
        auto next = next_line(text_, end);
        while (next < text_.size() && last > value && text_[last - 1] == '\\') {
            const auto next_end = end_of_line(text_, next);
            last = trim_end(text_, next, next_end);
            next = next_line(text_, next_end);
        }
        const auto own_end = last;
        at_ = next;
        for (; next < text_.size(); next = next_line(text_, next)) {
            const auto next_end = end_of_line(text_, next);
            const auto begin = skip_blanks(text_, next, next_end);
            if (begin == next_end || is_comment(text_[begin])) continue;
            if (begin - next <= indent) break;
            last = trim_end(text_, begin, next_end);
            at_ = next_line(text_, next);
        }
        const bool one_line = last == own_end && last <= end;
        if (value == last) return;
        if (one_line && (text_[value] == '"' || text_[value] == '\'')) {
            const auto close = closing_quote(value, end);
            if (close == end) throw NotUnderstood{line_begin, "a quote that is not closed"};
            const auto after = skip_blanks(text_, close + 1, end);
            const bool ends_statement =
                text_.substr(close + 1).starts_with(';') && skip_blanks(text_, close + 2, end) == end;
            if (after == end || ends_statement || (after > close + 1 && is_comment(text_[after]))) {
                edits_.replace(value + 1, close, std::string(redacted_value));
                return;
            }
        }
        edits_.replace(value, last, std::string(redacted_value));
    }

    // `end` if there is none.
    [[nodiscard]] std::size_t closing_quote(std::size_t at, std::size_t end) const {
        const char quote = text_[at];
        for (++at; at < end; ++at) {
            if (text_[at] == quote) return at;
            if (text_[at] == '\\' && at + 1 < end) ++at;
        }
        return end;
    }

    std::string_view text_;
    const KeyPatterns& keys_;
    RedactEdits& edits_;
    std::size_t at_ = 0;
};

}  // namespace

void redact_ini(std::string_view text, const KeyPatterns& keys, RedactEdits& edits) {
    IniParser(text, keys, edits).parse();
}

}  // namespace pgbakd::source
