#include "calendar/posix_rule.hpp"

#include "base/text.hpp"

namespace pgbakd::calendar {
namespace {

using std::chrono::days;
using std::chrono::local_days;
using std::chrono::local_seconds;
using std::chrono::seconds;

class RuleReader {
  public:
    explicit RuleReader(std::string_view text) : rest_(text) {}

    [[nodiscard]] bool at_end() const { return rest_.empty(); }
    [[nodiscard]] bool next_is(char c) const { return !rest_.empty() && rest_.front() == c; }
    bool take(char c) {
        if (!next_is(c)) return false;
        rest_.remove_prefix(1);
        return true;
    }

    // Three letters or more, or anything of letters, digits and signs between < and >.
    std::optional<std::string> name() {
        const bool quoted = take('<');
        std::size_t length = 0;
        const auto fits = [quoted](char c) {
            return base::is_letter(c) || (quoted && (base::is_digit(c) || c == '+' || c == '-'));
        };
        while (length < rest_.size() && fits(rest_[length])) ++length;
        if (length < 3 || length > 64) return std::nullopt;
        std::string result(rest_.substr(0, length));
        rest_.remove_prefix(length);
        if (quoted && !take('>')) return std::nullopt;
        return result;
    }

    std::optional<unsigned> number(unsigned lowest, unsigned highest) {
        std::size_t length = 0;
        unsigned value = 0;
        while (length < rest_.size() && length < 4 && base::is_digit(rest_[length]))
            value = value * 10 + static_cast<unsigned>(rest_[length++] - '0');
        if (length == 0 || value < lowest || value > highest) return std::nullopt;
        rest_.remove_prefix(length);
        return value;
    }

    // [+-]hh[:mm[:ss]]
    std::optional<seconds> time(unsigned highest_hour) {
        const bool negative = next_is('-');
        if (negative || next_is('+')) rest_.remove_prefix(1);
        const auto hour = number(0, highest_hour);
        if (!hour) return std::nullopt;
        seconds result = std::chrono::hours{*hour};
        for (const auto unit : {seconds{60}, seconds{1}}) {
            if (!take(':')) break;
            const auto part = number(0, 59);
            if (!part) return std::nullopt;
            result += unit * static_cast<int>(*part);
        }
        return negative ? -result : result;
    }

    std::optional<RuleDate> date() {
        RuleDate result;
        std::optional<unsigned> day;
        if (take('J')) {
            result.form = RuleDate::Form::julian;
            day = number(1, 365);
        } else if (take('M')) {
            const auto month = number(1, 12);
            if (!month || !take('.')) return std::nullopt;
            const auto week = number(1, 5);
            if (!week || !take('.')) return std::nullopt;
            result.month = *month;
            result.week = *week;
            day = number(0, 6);
        } else {
            result.form = RuleDate::Form::ordinal;
            day = number(0, 365);
        }
        if (!day) return std::nullopt;
        result.day = *day;
        result.time = std::chrono::hours{2};
        if (take('/')) {
            const auto at = time(167);
            if (!at) return std::nullopt;
            result.time = *at;
        }
        return result;
    }

  private:
    std::string_view rest_;
};

// What a zone that names no dates means: the United States' rule, as glibc and musl read it.
PosixRule::Daylight usual_dates() {
    PosixRule::Daylight result;
    result.start = {RuleDate::Form::month_week, 0, 3, 2, std::chrono::hours{2}};
    result.end = {RuleDate::Form::month_week, 0, 11, 1, std::chrono::hours{2}};
    return result;
}

}  // namespace

local_seconds RuleDate::in(std::chrono::year year) const {
    const local_days new_year{year / std::chrono::January / 1};
    switch (form) {
        case Form::julian: return new_year + days{day - 1 + (year.is_leap() && day >= 60 ? 1 : 0)} + time;
        case Form::ordinal: return new_year + days{day} + time;
        case Form::month_week: break;
    }
    const std::chrono::weekday wanted{day};
    const std::chrono::year_month in_month = year / std::chrono::month{month};
    const local_days date =
        week == 5 ? local_days{in_month / wanted[std::chrono::last]} : local_days{in_month / wanted[week]};
    return date + time;
}

std::optional<PosixRule> parse_posix_rule(std::string_view text) {
    if (text.size() > 256) return std::nullopt;
    RuleReader reader(text);
    PosixRule rule;
    const auto standard = reader.name();
    if (!standard) return std::nullopt;
    rule.standard_name = *standard;
    const auto offset = reader.time(24);
    if (!offset) return std::nullopt;
    rule.standard_offset = -*offset;
    if (reader.at_end()) return rule;

    const auto daylight = reader.name();
    if (!daylight) return std::nullopt;
    rule.daylight_name = *daylight;
    rule.daylight_offset = rule.standard_offset + std::chrono::hours{1};
    if (!reader.at_end() && !reader.next_is(',')) {
        const auto daylight_offset = reader.time(24);
        if (!daylight_offset) return std::nullopt;
        rule.daylight_offset = -*daylight_offset;
    }
    if (reader.at_end()) {
        rule.daylight = usual_dates();
        return rule;
    }
    if (!reader.take(',')) return std::nullopt;
    const auto start = reader.date();
    if (!start || !reader.take(',')) return std::nullopt;
    const auto end = reader.date();
    if (!end || !reader.at_end()) return std::nullopt;
    rule.daylight = PosixRule::Daylight{*start, *end};
    return rule;
}

}  // namespace pgbakd::calendar
