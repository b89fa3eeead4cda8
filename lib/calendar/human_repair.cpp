// What a person meant by a schedule that is nearly one of the forms for people.
#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <vector>

#include "base/text.hpp"
#include "calendar/human_form.hpp"

namespace pgbakd::calendar {
namespace {

bool is_one_of(std::string_view word, std::initializer_list<std::string_view> words) {
    return std::find(words.begin(), words.end(), word) != words.end();
}

// In lower case, without blanks and commas.
std::vector<std::string> words_of(std::string_view text) {
    std::vector<std::string> words(1);
    for (const char c : base::to_lower(text)) {
        if (c != ' ' && c != ',')
            words.back() += c;
        else if (!words.back().empty())
            words.emplace_back();
    }
    if (words.back().empty()) words.pop_back();
    return words;
}

// Days and times told apart by their look.
struct Parts {
    std::vector<std::string> days, times;
};
Parts parts_of(const std::vector<std::string>& words, bool hourly) {
    Parts parts;
    bool joins = false;  // an ordinal and its weekday are one day
    for (const auto& word : words) {
        if (is_one_of(word, {"at", "on", "and", "the"})) continue;
        if (word.find(':') != std::string::npos) {
            parts.times.push_back(word);
        } else if (hourly && parse_number(word)) {
            parts.times.push_back(":" + word);
        } else if (joins) {
            parts.days.back() += " " + word;
            joins = false;
        } else {
            joins = std::find(human_ordinals.begin(), human_ordinals.end(), word) != human_ordinals.end();
            const bool is_counted = word.size() > 2 && base::is_digit(word.front()) &&
                                    is_one_of(std::string_view(word).substr(word.size() - 2), {"st", "nd", "rd", "th"});
            parts.days.push_back(is_counted ? word.substr(0, word.size() - 2) : word);
        }
    }
    return parts;
}

// every 6 hours at 01:00, by the grammar that has it.
std::string stepped(int step, std::string_view time) {
    const auto colon = time.find(':');
    const auto hour = parse_number(time.substr(0, colon)), minute = parse_number(time.substr(colon + 1));
    if (!hour || !minute || step < 1 || 24 % step != 0) return {};
    if (step == 24) return fmt::format("daily at {}", time);
    if (step == 1) return fmt::format("hourly at :{:02}", *minute);
    std::string hours;
    for (int each = *hour % step; each < 24; each += step) hours += fmt::format("{}{}", hours.empty() ? "" : ",", each);
    return fmt::format("{} {} * * *", *minute, hours);
}

std::string reworded(const std::vector<std::string>& words) {
    auto form = words.front();
    auto rest = std::vector<std::string>(words.begin() + 1, words.end());
    if (form == "every" && rest.size() >= 2 && is_one_of(rest[1], {"hour", "hours"})) {
        const auto parts = parts_of({rest.begin() + 2, rest.end()}, false);
        const auto step = parse_number(rest[0]);
        return step && parts.days.empty() && parts.times.size() == 1 ? stepped(*step, parts.times.front())
                                                                     : std::string();
    }
    if (form == "every" && !rest.empty()) {
        const bool is_day = rest[0] == "day", is_weekday = rest[0] == "weekday";
        form = is_day ? "daily" : is_weekday ? "weekdays" : "weekly";
        if (is_day || is_weekday) rest.erase(rest.begin());
    }
    // A moment as other programs write it.
    if (form == "once")
        for (auto& word : rest)
            if (const auto t = word.find('t'); t == 10) word[t] = ' ';
    const auto parts = parts_of(form == "once" ? words_of(base::join(rest, " ")) : rest, form == "hourly");
    if (form == "once") return fmt::format("once at {} {}", base::join(parts.days, " "), base::join(parts.times, " "));
    auto text = form;
    if (!parts.days.empty()) text += " on " + base::join(parts.days, ", ");
    if (!parts.times.empty()) text += " at " + base::join(parts.times, ", ");
    return text;
}

// Asked of a form for people without its fix: that would ask here again.
bool is_schedule(std::string_view text) {
    return is_human_form(text) ? read_human_form({text, 0}).has_value() : Schedule::parse(text).has_value();
}

}  // namespace

bool looks_like_zone(std::string_view word) {
    const auto lower = base::to_lower(word);
    if (is_one_of(lower, {"utc", "gmt"})) return true;
    return word.size() > 2 && base::is_letter(word.front()) && word.find('/') != std::string_view::npos &&
           std::all_of(word.begin(), word.end(), [](char c) {
               return base::is_letter(c) || base::is_digit(c) ||
                      is_one_of(std::string_view(&c, 1), {"/", "_", "-", "+"});
           });
}

std::string put_zone_apart(std::string_view schedule, std::string_view zone) {
    return fmt::format("say \"{}\", and put the zone into timezone: {}", schedule, zone);
}

std::string instead_of_days(int count, std::string_view behind) {
    const auto asked = read_human_form({fmt::format("daily {}", base::trim(behind)), 0});
    const auto times = asked ? asked->times : std::set<int>{2 * 60};
    std::vector<std::string> each;
    for (const int time : times) each.push_back(fmt::format("{:02}:{:02}", time / 60, time % 60));
    const auto at = base::join(each, ", ");
    if (count == 1) return fmt::format("say \"daily at {}\"", at);
    if (count > 0 && count % 7 == 0) return fmt::format("say \"weekly on sunday at {}\", for example", at);
    if (count < 2 || count > 15) return fmt::format("say \"monthly on 1 at {}\", or name the days", at);
    // Of times in different minutes one: cron has no more in a line.
    const int minute = *times.begin() % 60;
    std::string hours;
    for (const int time : times)
        if (time % 60 == minute) hours += fmt::format("{}{}", hours.empty() ? "" : ",", time / 60);
    return fmt::format("\"{} {} */{} * *\" steps through the days of each month, for example", minute, hours, count);
}

std::optional<std::string> human_fix(std::string_view text) {
    // Beyond this nobody mends by rewording.
    constexpr std::size_t most_bytes = 200;
    if (text.size() > most_bytes) return std::nullopt;
    const auto blank = text.find_last_of(' ');
    if (blank != std::string_view::npos && looks_like_zone(text.substr(blank + 1))) {
        const auto schedule = base::trim(text.substr(0, blank));
        if (is_schedule(schedule)) return put_zone_apart(schedule, text.substr(blank + 1));
        return std::nullopt;
    }
    const auto words = words_of(text);
    if (words.empty()) return std::nullopt;
    const auto meant = reworded(words);
    if (meant.empty() || !is_schedule(meant)) return std::nullopt;
    return fmt::format("say \"{}\"", meant);
}

}  // namespace pgbakd::calendar
