// What a person meant by a schedule that is nearly one of the forms for people.
#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/text.hpp"
#include "calendar/human_form.hpp"
#include "calendar/human_words.hpp"

namespace pgbakd::calendar {
namespace {

std::string reworded(const std::vector<std::string>& words) {
    const auto& form = words.front();
    auto rest = std::vector<std::string>(words.begin() + 1, words.end());
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

std::optional<std::string> human_fix(std::string_view text) {
    // Beyond this nobody mends by rewording.
    constexpr std::size_t most_bytes = 200;
    if (text.size() > most_bytes) return std::nullopt;
    const auto blank = text.find_last_of(' ');
    if (blank != std::string_view::npos && looks_like_zone(text.substr(blank + 1))) {
        const auto schedule = base::trim(text.substr(0, blank));
        const auto zone = text.substr(blank + 1);
        if (is_schedule(schedule)) return put_zone_apart(schedule, zone);
        const auto instead = words_of(schedule).front() == "every" ? every_fix(words_of(schedule)) : std::nullopt;
        if (!instead) return std::nullopt;
        return fmt::format("{}{} put the zone into timezone: {}", *instead, instead->ends_with('"') ? ", and" : ";",
                           zone);
    }
    const auto words = words_of(text);
    if (words.empty()) return std::nullopt;
    if (words.front() == "every") return every_fix(words);
    const auto meant = reworded(words);
    if (meant.empty() || !is_schedule(meant)) return std::nullopt;
    return fmt::format("say \"{}\"", meant);
}

}  // namespace pgbakd::calendar
