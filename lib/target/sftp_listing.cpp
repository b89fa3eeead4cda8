#include "target/sftp_listing.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

#include "base/text.hpp"

namespace pgbakd::target {
namespace {

using namespace std::chrono;

struct Word {
    std::string_view text;
    std::size_t end;  // in the line
};

std::vector<Word> words_of(std::string_view line) {
    std::vector<Word> words;
    for (std::size_t at = 0; at < line.size();) {
        const auto begin = line.find_first_not_of(' ', at);
        if (begin == std::string_view::npos) break;
        const auto end = std::min(line.find(' ', begin), line.size());
        words.push_back({line.substr(begin, end - begin), end});
        at = end;
    }
    return words;
}

template <class Number>
std::optional<Number> number_of(std::string_view text) {
    Number value = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failure != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

std::optional<month> month_of(std::string_view text) {
    static constexpr std::array<std::string_view, 12> names{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const auto* const found = std::ranges::find(names, text);
    if (found == names.end()) return std::nullopt;
    return month(static_cast<unsigned>(found - names.begin()) + 1);
}

struct Time {
    local_seconds at;
    bool is_to_the_minute;
};

// "Nov 21 12:30" or "Nov 21 2025".
std::optional<Time> time_of(std::string_view month_text, std::string_view day_text, std::string_view last,
                            sys_seconds now) {
    const auto in_month = month_of(month_text);
    const auto day_number = number_of<unsigned>(day_text);
    if (!in_month || !day_number) return std::nullopt;
    const day on_day(*day_number);
    const auto colon = last.find(':');
    if (colon == std::string_view::npos) {
        const auto in_year = number_of<int>(last);
        if (!in_year || last.size() != 4) return std::nullopt;
        const year_month_day date(year(*in_year), *in_month, on_day);
        if (!date.ok()) return std::nullopt;
        return Time{local_days(date), false};
    }
    const auto hour = number_of<unsigned>(last.substr(0, colon));
    const auto minute = number_of<unsigned>(last.substr(colon + 1));
    if (!hour || !minute || *hour > 23 || *minute > 59) return std::nullopt;
    const local_seconds latest(now.time_since_epoch() + days(1));
    for (auto in_year = year_month_day(floor<days>(latest)).year(); in_year >= year(1970); --in_year) {
        const year_month_day date(in_year, *in_month, on_day);
        if (!date.ok()) continue;  // the 29th of February
        const local_seconds at = local_days(date) + hours(*hour) + minutes(*minute);
        if (at <= latest) return Time{at, true};
    }
    return std::nullopt;
}

}  // namespace

std::optional<SftpLine> parse_sftp_line(std::string_view line, sys_seconds now) {
    const auto words = words_of(line);
    // Names of users and groups may hold blanks: the first size that a date follows is it.
    for (std::size_t i = 3; i + 4 < words.size(); ++i) {
        const auto size = number_of<std::uint64_t>(words[i].text);
        if (!size) continue;
        const auto time = time_of(words[i + 1].text, words[i + 2].text, words[i + 3].text, now);
        if (!time) continue;
        const auto kind = line.front() == '-'   ? SftpLine::Kind::file
                          : line.front() == 'd' ? SftpLine::Kind::directory
                                                : SftpLine::Kind::other;
        // One blank, and then the name, which may begin with more.
        return SftpLine{.kind = kind,
                        .name = std::string(line.substr(words[i + 3].end + 1)),
                        .size = *size,
                        .modified = time->at,
                        .is_to_the_minute = time->is_to_the_minute};
    }
    return std::nullopt;
}

seconds sftp_time_offset(local_seconds listed, sys_seconds exact) {
    constexpr minutes step(15);
    const auto difference = listed.time_since_epoch() - floor<minutes>(exact).time_since_epoch();
    return round<seconds>(step * round<duration<int, std::ratio<900>>>(difference).count());
}

}  // namespace pgbakd::target
