#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/text.hpp"
#include "calendar/zone.hpp"

namespace pgbakd::calendar {
namespace {

using base::Instant;
using std::chrono::local_seconds;
using std::chrono::seconds;

struct Parts {
    int year;
    unsigned month, day;
    int hour, minute, second;

    explicit Parts(local_seconds time) {
        constexpr local_seconds lowest{std::chrono::local_days{std::chrono::year{0} / 1 / 1}};
        constexpr local_seconds highest{std::chrono::local_days{std::chrono::year{10000} / 1 / 1} - seconds{1}};
        time = std::clamp(time, lowest, highest);
        const auto midnight = std::chrono::floor<std::chrono::days>(time);
        const std::chrono::year_month_day date{midnight};
        year = static_cast<int>(date.year());
        month = static_cast<unsigned>(date.month());
        day = static_cast<unsigned>(date.day());
        const auto second_of_day = static_cast<int>((time - midnight).count());
        hour = second_of_day / 3600;
        minute = second_of_day / 60 % 60;
        second = second_of_day % 60;
    }
    [[nodiscard]] std::string date_time(char between) const {
        return fmt::format("{:04}-{:02}-{:02}{}{:02}:{:02}:{:02}", year, month, day, between, hour, minute, second);
    }
};

// RFC 3339 knows no seconds in an offset (old local mean times have them): they are cut off.
std::string offset_text(seconds offset) {
    const auto minutes = std::chrono::abs(offset).count() / 60;
    return fmt::format("{}{:02}:{:02}", offset < seconds{0} ? '-' : '+', minutes / 60, minutes % 60);
}

// The number that `count` digits at `position` are.
std::optional<int> digits_at(std::string_view text, std::size_t position, std::size_t count) {
    if (position + count > text.size()) return std::nullopt;
    int value = 0;
    for (const char c : text.substr(position, count)) {
        if (!base::is_digit(c)) return std::nullopt;
        value = value * 10 + (c - '0');
    }
    return value;
}

std::optional<seconds> parse_offset(std::string_view text) {
    if (text == "Z" || text == "z") return seconds{0};
    if (text.size() != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':') return std::nullopt;
    const auto hour = digits_at(text, 1, 2), minute = digits_at(text, 4, 2);
    if (!hour || !minute || *hour > 23 || *minute > 59) return std::nullopt;
    const seconds offset = std::chrono::hours{*hour} + std::chrono::minutes{*minute};
    return text[0] == '-' ? -offset : offset;
}

std::optional<Instant> parse_instant(std::string_view text) {
    constexpr std::string_view shape = "0000-00-00T00:00:00";
    if (text.size() <= shape.size() || (text[10] != 'T' && text[10] != 't' && text[10] != ' ')) return std::nullopt;
    for (const std::size_t i : {4, 7, 13, 16})
        if (text[i] != shape[i]) return std::nullopt;
    const auto year = digits_at(text, 0, 4), month = digits_at(text, 5, 2), day = digits_at(text, 8, 2);
    const auto hour = digits_at(text, 11, 2), minute = digits_at(text, 14, 2), second = digits_at(text, 17, 2);
    if (!year || !month || !day || !hour || !minute || !second) return std::nullopt;
    const auto date = std::chrono::year{*year} / *month / *day;
    if (!date.ok() || *hour > 23 || *minute > 59 || *second > 59) return std::nullopt;
    auto rest = text.substr(shape.size());
    if (rest.front() == '.') {
        const auto end = rest.find_first_not_of("0123456789", 1);
        if (end == 1 || end == std::string_view::npos) return std::nullopt;
        rest.remove_prefix(end);
    }
    const auto offset = parse_offset(rest);
    if (!offset) return std::nullopt;
    return std::chrono::sys_days{date} + std::chrono::hours{*hour} + std::chrono::minutes{*minute} + seconds{*second} -
           *offset;
}

}  // namespace

std::string format_rfc3339(Instant instant, const Zone& zone) {
    const auto local = zone.local(instant);
    // The time shown and the offset shown belong together, also where the offset has seconds.
    const auto whole = local.offset - local.offset % std::chrono::minutes{1};
    return Parts(local.time - local.offset + whole).date_time('T') + offset_text(whole);
}

std::string format_rfc3339_utc(Instant instant) {
    return Parts(local_seconds{instant.time_since_epoch()}).date_time('T') + 'Z';
}

std::string format_for_people(Instant instant, const Zone& zone) {
    const auto local = zone.local(instant);
    const Parts parts(local.time);
    auto text = parts.date_time(' ');
    if (parts.second == 0) text.resize(text.size() - 3);
    return fmt::format("{} {}", text, local.abbreviation);
}

std::string format_compact(Instant instant, const Zone& zone) {
    const Parts p(zone.local(instant).time);
    return fmt::format("{:04}{:02}{:02}_{:02}{:02}{:02}", p.year, p.month, p.day, p.hour, p.minute, p.second);
}

base::Result<Instant> parse_rfc3339(std::string_view text) {
    if (const auto instant = text.size() <= 64 ? parse_instant(text) : std::nullopt) return *instant;
    return base::Error(base::ErrorCode::invalid_argument,
                       fmt::format("\"{}\" is not a time", base::printable(base::clamp_utf8(text, 80))),
                       "write it as 2026-01-14T01:00:00+01:00 or 2026-01-14T00:00:00Z");
}

}  // namespace pgbakd::calendar
