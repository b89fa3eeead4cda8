// What a person meant by an `every …` that no step within a day or an hour says.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/text.hpp"
#include "calendar/human_form.hpp"
#include "calendar/human_words.hpp"

namespace pgbakd::calendar {
namespace {

constexpr int usual_time = 2 * 60;

enum class Unit { minutes, hours, days, weeks, months, years };

std::optional<Unit> unit_of(std::string_view word) {
    if (is_one_of(word, {"minute", "minutes", "min", "mins", "m"})) return Unit::minutes;
    if (is_one_of(word, {"hour", "hours", "hr", "hrs", "h"})) return Unit::hours;
    if (is_one_of(word, {"day", "days", "d"})) return Unit::days;
    if (is_one_of(word, {"week", "weeks", "w"})) return Unit::weeks;
    if (is_one_of(word, {"month", "months"})) return Unit::months;
    if (is_one_of(word, {"year", "years", "y"})) return Unit::years;
    return std::nullopt;
}

// What stands behind the unit.
struct Tail {
    std::vector<std::string> days;  // as they were written
    std::set<int> times;            // minutes from midnight
    std::set<int> minutes;          // of each hour: ":15"
    bool is_clear = true;           // no time in it is a riddle

    [[nodiscard]] bool empty() const { return days.empty() && times.empty() && minutes.empty() && is_clear; }
    [[nodiscard]] bool is_times_only() const { return days.empty() && minutes.empty() && !times.empty() && is_clear; }
    [[nodiscard]] std::set<int> times_or_usual() const { return times.empty() ? std::set<int>{usual_time} : times; }
    // "02:00, 14:00"
    [[nodiscard]] std::string at() const {
        std::vector<std::string> each;
        for (const int time : times_or_usual()) each.push_back(fmt::format("{:02}:{:02}", time / 60, time % 60));
        return base::join(each, ", ");
    }
};

Tail read_tail(std::vector<std::string> words, bool hourly) {
    for (auto& word : words)
        if (const auto time = time_meant(word)) word = fmt::format("{:02}:{:02}", *time / 60, *time % 60);
    auto parts = parts_of(words, hourly);
    Tail tail;
    tail.days = std::move(parts.days);
    for (const auto& word : parts.times) {
        const auto time = time_meant(word);
        const auto minute = word.size() == 3 && word.front() == ':' ? parse_number(word.substr(1)) : std::nullopt;
        if (time)
            tail.times.insert(*time);
        else if (minute && *minute < 60)
            tail.minutes.insert(*minute);
        else
            tail.is_clear = false;
    }
    return tail;
}

std::string say(std::string_view schedule, bool is_meant) {
    return fmt::format("say \"{}\"{}", schedule, is_meant ? "" : ", for example");
}

bool is_form(const std::string& text) {
    return read_human_form({text, 0}).has_value();
}

std::string joined(const std::set<int>& numbers) {
    std::vector<std::string> texts;
    texts.reserve(numbers.size());
    for (const int number : numbers) texts.push_back(fmt::format("{}", number));
    return base::join(texts, ",");
}

// Steps that cron has, and begins anew: those of days with each month, those of months with each year.
std::string in_steps(const Tail& tail, std::string_view dates, std::string_view what) {
    const auto times = tail.times_or_usual();
    const int first = *times.begin();
    std::set<int> hours;
    bool is_one_minute = true;
    for (const int time : times) {
        if (time % 60 == first % 60)
            hours.insert(time / 60);
        else
            is_one_minute = false;
    }
    const auto cron = fmt::format("\"{} {} {}\" steps through the {}", first % 60, joined(hours), dates, what);
    if (is_one_minute) return cron + ", for example";
    return fmt::format("{}, for example; times in different minutes need a job each", cron);
}

std::string years(const Tail& tail) {
    return say(fmt::format("yearly on 01-01 at {}", tail.at()), false);
}

std::string months(int count, const Tail& tail) {
    const auto on = [&tail](const std::string& days) { return fmt::format("monthly on {} at {}", days, tail.at()); };
    const auto asked = on(base::join(tail.days, ", "));
    const bool has_day = !tail.days.empty() && tail.is_clear && tail.minutes.empty() && is_form(asked);
    if (count == 1) return say(has_day ? asked : on("1"), has_day && !tail.times.empty());
    if (count >= 12) return years(tail);
    const auto day = has_day && tail.days.size() == 1 ? parse_number(tail.days.front()) : std::nullopt;
    return in_steps(tail, fmt::format("{} */{} *", day.value_or(1), count), "months of each year");
}

// No schedule counts weeks beyond the month that they are in.
std::string weeks(int count, const Tail& tail) {
    const auto on = [&tail](std::string_view form, const std::string& days) {
        return fmt::format("{} on {} at {}", form, days, tail.at());
    };
    const auto asked = on("weekly", base::join(tail.days, ", "));
    const bool has_day = !tail.days.empty() && tail.is_clear && tail.minutes.empty() && is_form(asked);
    if (count == 1) return say(has_day ? asked : on("weekly", "sunday"), has_day && !tail.times.empty());
    if (count >= 52) return years(tail);
    const auto nth = [&](std::string_view ordinal) { return fmt::format("{} {}", ordinal, tail.days.front()); };
    if (count == 2) return say(on("monthly", has_day ? nth("first") + ", " + nth("third") : "1, 15"), false);
    return say(on("monthly", has_day ? nth("first") : "1"), false);
}

std::string days(int count, const Tail& tail) {
    if (count == 1) return say(fmt::format("daily at {}", tail.at()), tail.is_times_only());
    if (count == 7 || count == 14) return weeks(count / 7, tail);
    if (count <= 15) return in_steps(tail, fmt::format("*/{} * *", count), "days of each month");
    return count < 365 ? months(1, {{}, tail.times, {}, false}) : years(tail);
}

std::optional<std::string> hours(int count, const Tail& tail) {
    if (!tail.days.empty() || !tail.is_clear)
        return count == 1 ? std::optional(say("hourly at :15", false)) : std::nullopt;
    if (count > 24 && count % 24 == 0 && tail.minutes.empty()) return days(count / 24, tail);
    if (24 % count != 0 || (!tail.times.empty() && !tail.minutes.empty())) return std::nullopt;
    if (tail.empty()) return say(count == 1 ? "hourly" : fmt::format("every {} hours", count), true);
    if (count == 24 && tail.minutes.empty()) return days(1, tail);
    if (tail.times.size() > 1) return std::nullopt;
    // From a time on, in steps over the whole day.
    const int first = tail.times.empty() ? 0 : *tail.times.begin() / 60;
    const auto minutes = tail.times.empty() ? tail.minutes : std::set<int>{*tail.times.begin() % 60};
    if (count == 1) {
        std::vector<std::string> each;
        each.reserve(minutes.size());
        for (const int minute : minutes) each.push_back(fmt::format(":{:02}", minute));
        return say(fmt::format("hourly at {}", base::join(each, ", ")), true);
    }
    std::set<int> each;
    for (int hour = first % count; hour < 24; hour += count) each.insert(hour);
    return say(fmt::format("{} {} * * *", joined(minutes), joined(each)), true);
}

std::optional<std::string> minutes(int count, const Tail& tail) {
    if (!tail.empty()) return std::nullopt;
    if (60 % count == 0) return say(fmt::format("every {} minute{}", count, count == 1 ? "" : "s"), true);
    return count % 60 == 0 ? hours(count / 60, tail) : std::nullopt;
}

// "every monday", "every weekday", "every first sunday".
std::optional<std::string> named_days(const std::vector<std::string>& words) {
    const auto tail = read_tail({words.begin() + 1, words.end()}, false);
    const bool is_week = !tail.days.empty() && is_one_of(tail.days.front(), {"weekday", "weekdays"});
    auto form = fmt::format("weekly on {} at {}", base::join(tail.days, ", "), tail.at());
    if (is_week && tail.days.size() == 1) form = fmt::format("weekdays at {}", tail.at());
    if (!is_form(form)) form = fmt::format("monthly on {} at {}", base::join(tail.days, ", "), tail.at());
    if (!tail.is_clear || !tail.minutes.empty() || !is_form(form)) return std::nullopt;
    return say(form, !tail.times.empty());
}

}  // namespace

std::optional<std::string> every_fix(const std::vector<std::string>& words) {
    if (words.size() < 2) return std::nullopt;
    // "6 hours", "6h", "other day", or the unit alone.
    const auto& second = words[1];
    const auto digits = std::min(second.find_first_not_of("0123456789"), second.size());
    auto count = parse_number(std::string_view(second).substr(0, digits));
    std::string unit_word = second.substr(digits);
    std::size_t used = 2;
    if (is_one_of(second, {"other", "second"})) count = 2;
    if ((count && digits == second.size()) || second == "other" || second == "second") {
        if (words.size() < 3) return std::nullopt;
        unit_word = words[2];
        used = 3;
    }
    const auto unit = unit_of(unit_word);
    if (!unit) return count ? std::nullopt : named_days(words);
    if (!count) count = 1;
    // The error says what numbers there are.
    if (*count == 0) return std::nullopt;
    const auto tail =
        read_tail({words.begin() + static_cast<std::ptrdiff_t>(used), words.end()}, unit == Unit::hours && *count == 1);
    switch (*unit) {
        case Unit::minutes: return minutes(*count, tail);
        case Unit::hours: return hours(*count, tail);
        case Unit::days: return days(*count, tail);
        case Unit::weeks: return weeks(*count, tail);
        case Unit::months: return months(*count, tail);
        case Unit::years: return years(tail);
    }
    return std::nullopt;
}

}  // namespace pgbakd::calendar
