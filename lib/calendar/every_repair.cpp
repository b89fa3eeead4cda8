// What a person meant by an `every …` that no step within a day or an hour says.
#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <span>

#include "base/text.hpp"
#include "calendar/human_form.hpp"
#include "calendar/human_words.hpp"

namespace pgbakd::calendar {
namespace {

enum class Unit { minutes, hours, days, nights, weeks, months, years };

std::optional<Unit> unit_of(std::string_view word) {
    if (is_one_of(word, {"minute", "minutes", "min", "mins", "m"})) return Unit::minutes;
    if (is_one_of(word, {"hour", "hours", "hr", "hrs", "h"})) return Unit::hours;
    if (is_one_of(word, {"day", "days", "d"})) return Unit::days;
    if (is_one_of(word, {"night", "nights"})) return Unit::nights;
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
    bool is_clear = true;           // nothing in it is a riddle; otherwise its times may be others

    [[nodiscard]] bool empty() const { return days.empty() && times.empty() && minutes.empty() && is_clear; }
    [[nodiscard]] bool is_times_only() const { return days.empty() && minutes.empty() && !times.empty() && is_clear; }
    [[nodiscard]] std::set<int> times_or_usual() const { return times.empty() ? std::set<int>{usual_time} : times; }
    // "02:00, 14:00"
    [[nodiscard]] std::string at() const {
        std::vector<std::string> each;
        for (const int time : times_or_usual()) each.push_back(clock_text(time));
        return base::join(each, ", ");
    }
};

Tail read_tail(const std::vector<std::string>& words, bool hourly) {
    auto parts = parts_of(words, hourly);
    Tail tail;
    tail.days = std::move(parts.days);
    tail.is_clear = parts.others.empty();
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
    // "2:30 in the afternoon" is not 02:30.
    if (!tail.is_clear) {
        tail.times.clear();
        tail.minutes.clear();
    }
    return tail;
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
    const auto asked = weekly_form(tail.days, tail.at());
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
        // "Every hour at 13:00" is a riddle.
        return say(fmt::format("hourly at {}", base::join(each, ", ")), first == 0);
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

// "every monday", "every weekday", "every first sunday", and "every 02:00".
std::optional<std::string> named_days(const Tail& tail) {
    if (!tail.is_clear || !tail.minutes.empty()) return std::nullopt;
    if (tail.days.empty() && !tail.times.empty()) return say(fmt::format("daily at {}", tail.at()), false);
    auto form = weekly_form(tail.days, tail.at());
    if (!is_form(form)) form = fmt::format("monthly on {} at {}", base::join(tail.days, ", "), tail.at());
    return is_form(form) ? std::optional(say(form, !tail.times.empty())) : std::nullopt;
}

// What stands between `every` and the rest: "6 hours", "6h", "other day", the unit alone, or nothing.
struct Step {
    std::size_t words = 0;
    std::optional<Unit> unit;
    int count = 1;
};

std::optional<Step> read_step(std::span<const std::string> words) {
    if (words.empty()) return Step{};
    const auto& first = words.front();
    if (const auto unit = unit_of(first)) return Step{1, unit, 1};
    const auto digits = std::min(first.find_first_not_of("0123456789"), first.size());
    const auto count = parse_number(std::string_view(first).substr(0, digits));
    const bool is_second = first == "other" || first == "second";
    if (count && digits < first.size()) {
        if (const auto unit = unit_of(std::string_view(first).substr(digits))) return Step{1, unit, *count};
    } else if (count || is_second) {
        const auto unit = words.size() > 1 ? unit_of(words[1]) : std::nullopt;
        if (unit) return Step{2, unit, count.value_or(2)};
        // "every second sunday" is one of the month to some, and one in two weeks to others.
        return std::nullopt;
    }
    return Step{};
}

std::optional<std::string> fix_of(const Step& step, const std::vector<std::string>& rest) {
    auto tail = read_tail(rest, step.unit == Unit::hours && step.count == 1);
    if (!step.unit) return named_days(tail);
    // The error says what numbers there are.
    if (step.count == 0) return std::nullopt;
    if (step.unit == Unit::nights && !std::all_of(tail.times.begin(), tail.times.end(), is_at_night))
        tail = {tail.days, {}, {}, false};
    switch (*step.unit) {
        case Unit::minutes: return minutes(step.count, tail);
        case Unit::hours: return hours(step.count, tail);
        case Unit::days:
        case Unit::nights: return days(step.count, tail);
        case Unit::weeks: return weeks(step.count, tail);
        case Unit::months: return months(step.count, tail);
        case Unit::years: return years(tail);
    }
    return std::nullopt;
}

}  // namespace

std::optional<std::string> every_fix(const std::vector<std::string>& words, std::size_t position) {
    const auto behind = std::span(words).subspan(position + 1);
    const auto step = words[position] == "everyday" ? std::optional(Step{0, Unit::days, 1}) : read_step(behind);
    if (!step) return std::nullopt;
    auto rest = words;
    const auto begin = rest.begin() + static_cast<std::ptrdiff_t>(position);
    rest.erase(begin, begin + 1 + static_cast<std::ptrdiff_t>(step->words));
    const auto half = parts_of(rest, step->unit == Unit::hours && step->count == 1).half;
    if (half == 0) return fix_of(*step, rest);
    rest.resize(half);
    const auto first = fix_of(*step, rest);
    if (!first) return std::nullopt;
    const auto parts = base::split(*first, '"');
    return parts.size() < 3 ? std::nullopt : std::optional(say_job_each(parts[1]));
}

}  // namespace pgbakd::calendar
