#include "calendar/human_words.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "calendar/human_form.hpp"

namespace pgbakd::calendar {
namespace {

constexpr std::size_t short_name = 3;

// By its name, its first letters, or as people write it besides: "mondays", "thurs".
std::optional<std::size_t> weekday_meant(std::string_view word) {
    for (std::size_t i = 0; i < human_weekdays.size(); ++i) {
        const auto& name = human_weekdays[i];
        const auto singular = word.ends_with('s') ? word.substr(0, word.size() - 1) : word;
        if (singular.size() >= short_name && (name.starts_with(singular) || name.starts_with(word))) return i;
    }
    return std::nullopt;
}

bool is_weekday_name(std::string_view word) {
    const auto day = weekday_meant(word);
    return day && (word == human_weekdays[*day] || word.size() == short_name);
}

std::vector<std::string> short_names(std::size_t first, std::size_t last) {
    std::vector<std::string> names;
    for (auto day = first;; day = (day + 1) % human_weekdays.size()) {
        names.emplace_back(human_weekdays[day].substr(0, short_name));
        if (day == last) return names;
    }
}

// The weekdays that a word names; nothing if it names none.
std::vector<std::string> weekdays_in(std::string_view word) {
    if (is_one_of(word, {"weekday", "weekdays"})) return short_names(1, 5);
    if (is_one_of(word, {"weekend", "weekends"})) return {"saturday", "sunday"};
    if (is_weekday_name(word)) return {std::string(word)};
    if (const auto day = weekday_meant(word)) return {std::string(human_weekdays[*day])};
    for (const std::string_view dash : {"..", "-"}) {
        const auto found = word.find(dash);
        if (found == std::string_view::npos) continue;
        const auto first = weekday_meant(word.substr(0, found)), last = weekday_meant(word.substr(found + dash.size()));
        if (first && last) return short_names(*first, *last);
    }
    return {};
}

bool is_date(std::string_view word) {
    const auto parts = base::split(word, '-');
    return parts.size() > 1 && parts.size() < 4 &&
           std::all_of(parts.begin(), parts.end(), [](const auto& part) { return parse_number(part).has_value(); });
}

// A day of the month or of the year; empty if it is none.
std::string date_in(std::string_view word) {
    const bool is_counted = word.size() > 2 && is_one_of(word.substr(word.size() - 2), {"st", "nd", "rd", "th"});
    const auto number = parse_number(is_counted ? word.substr(0, word.size() - 2) : word);
    if (number) return *number >= 1 && *number <= 31 ? fmt::format("{}", *number) : "";
    return word == "last-day" || is_date(word) ? std::string(word) : "";
}

// "p.m." in two letters, alone or behind a time.
std::string without_dots(const std::string& word) {
    auto bare = word;
    std::erase(bare, '.');
    const bool is_half_day = bare == "am" || bare == "pm" ||
                             (base::is_digit(bare.front()) && (bare.ends_with("am") || bare.ends_with("pm")));
    return is_half_day ? bare : word;
}

}  // namespace

bool is_one_of(std::string_view word, std::initializer_list<std::string_view> words) {
    return std::find(words.begin(), words.end(), word) != words.end();
}

std::vector<std::string> words_of(std::string_view text) {
    std::vector<std::string> single(1);
    for (const char c : base::to_lower(text)) {
        if (c != ' ' && c != ',')
            single.back() += c;
        else if (!single.back().empty())
            single.emplace_back();
    }
    if (single.back().empty()) single.pop_back();
    std::vector<std::string> words;
    for (std::size_t i = 0; i < single.size(); ++i) {
        const auto word = single[i].find_first_not_of('.') == std::string::npos ? single[i] : without_dots(single[i]);
        auto* before = words.empty() ? nullptr : &words.back();
        const auto* next = i + 1 < single.size() ? &single[i + 1] : nullptr;
        if (before != nullptr && base::is_digit(before->back()) && is_one_of(word, {"am", "pm"})) {
            *before += word;
        } else if (before != nullptr && is_one_of(*before, {"12", "12:00"}) && is_one_of(word, {"noon", "midnight"})) {
            *before = word;
        } else if (before != nullptr && next != nullptr && is_one_of(word, {"to", "through", "thru", "till", "-"}) &&
                   weekday_meant(*before) && weekday_meant(*next)) {
            *before += ".." + *next;
            ++i;
        } else {
            words.push_back(word);
        }
    }
    return words;
}

bool is_form_word(std::string_view word) {
    return is_one_of(word, {"daily", "nightly", "weekly", "weekdays", "twice-daily", "monthly", "yearly", "hourly",
                            "every", "everyday", "each", "once"});
}

Parts parts_of(const std::vector<std::string>& words, bool hourly) {
    Parts parts;
    bool joins = false;  // an ordinal and its weekday are one day
    std::size_t lists = 0, first_of_second = 0, end = 0;
    bool was_time = false;
    for (std::size_t i = 0; i < words.size(); ++i) {
        const auto& word = words[i];
        const std::string_view before = i == 0 ? std::string_view() : std::string_view(words[i - 1]);
        if (is_one_of(word, {"at", "on", "and", "the", "of", "&"})) continue;
        if (word == "month" && before == "the") continue;
        const auto time = time_meant(word);
        const bool is_time = time || word.find(':') != std::string::npos || (hourly && parse_number(word));
        const auto weekdays = weekdays_in(word);
        // What "at 3" is, nobody knows.
        const auto date = before == "at" && parse_number(word) ? std::string() : date_in(word);
        const bool is_ordinal = std::find(human_ordinals.begin(), human_ordinals.end(), word) != human_ordinals.end();
        if (is_time) {
            parts.times.push_back(time ? clock_text(*time) : word.find(':') == std::string::npos ? ":" + word : word);
        } else if (joins && weekdays.size() == 1) {
            parts.days.back() += " " + weekdays.front();
        } else if (joins && parts.days.back() == "last" && word == "day") {
            parts.days.back() = "last-day";
        } else if (is_ordinal) {
            parts.days.push_back(word);
        } else if (!weekdays.empty()) {
            parts.days.insert(parts.days.end(), weekdays.begin(), weekdays.end());
        } else if (!date.empty()) {
            parts.days.push_back(date);
        } else {
            parts.others.push_back(word);
            continue;
        }
        const bool was_joined = joins && !is_time;
        joins = is_ordinal;
        if (lists == 0) parts.begins_with_time = is_time;
        if (lists == 0 || is_time != was_time) {
            ++lists;
            if (lists == 2) parts.first_list = end;
            if (lists == 3) parts.half = end;
        }
        end = i + 1;
        if (lists == 2 && (first_of_second == 0 || (was_joined && first_of_second == i))) first_of_second = end;
        was_time = is_time;
    }
    // "monday at 03:00, 04:00 on tuesday": the first of the second list is sure, the next may belong to the third.
    if (lists == 3) parts.half = first_of_second;
    if (lists < 3) parts.half = parts.first_list = 0;
    return parts;
}

std::optional<int> time_meant(std::string_view word) {
    constexpr int noon = 12;
    if (word == "midnight") return 0;
    if (word == "noon") return noon * 60;
    const bool is_morning = word.ends_with("am"), is_half_day = is_morning || word.ends_with("pm");
    if (is_half_day) word.remove_suffix(2);
    const auto parts = base::split(word, ':');
    const auto hour = parse_number(parts[0]);
    auto minute = std::optional<int>(0);
    if (parts.size() > 1) minute = parts[1].size() == 2 ? parse_number(parts[1]) : std::nullopt;
    // Without minutes it is a time only where am or pm says so; seconds that are none change nothing.
    if (!hour || !minute || *minute > 59 || parts[0].size() > 2 || parts.size() > 3 ||
        (parts.size() == 1 && !is_half_day) || (parts.size() == 3 && (parts[2] != "00" || is_half_day)))
        return std::nullopt;
    if (!is_half_day) return *hour > 23 ? std::nullopt : std::optional(*hour * 60 + *minute);
    if (*hour < 1 || *hour > noon) return std::nullopt;
    return (*hour % noon + (is_morning ? 0 : noon)) * 60 + *minute;
}

std::string clock_text(int time) {
    return fmt::format("{:02}:{:02}", time / 60, time % 60);
}

bool is_at_night(int time) {
    constexpr int morning = 6 * 60, evening = 18 * 60;
    return time < morning || time >= evening;
}

std::string say(std::string_view schedule, bool is_meant) {
    return fmt::format("say \"{}\"{}", schedule, is_meant ? "" : ", for example");
}

std::string say_job_each(std::string_view schedule) {
    return fmt::format("days with times of their own need a job each: {}", say(schedule, false));
}

std::string weekly_form(const std::vector<std::string>& days, std::string_view times) {
    auto text = fmt::format("weekly on {} at {}", base::join(days, ", "), times);
    const auto form = read_human_form({text, 0});
    return form && form->weekdays == bit_range(1, 5) ? fmt::format("weekdays at {}", times) : text;
}

}  // namespace pgbakd::calendar
