#include "calendar/human_words.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "calendar/human_form.hpp"

namespace pgbakd::calendar {

bool is_one_of(std::string_view word, std::initializer_list<std::string_view> words) {
    return std::find(words.begin(), words.end(), word) != words.end();
}

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

}  // namespace pgbakd::calendar
