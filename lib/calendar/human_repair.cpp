// What a person meant by a schedule that is nearly one of the forms for people.
#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/text.hpp"
#include "calendar/human_form.hpp"
#include "calendar/human_words.hpp"

namespace pgbakd::calendar {
namespace {

bool is_form(std::string_view text) {
    return is_human_form(text) && read_human_form({text, 0}).has_value();
}

struct Meant {
    std::string schedule;
    bool is_all = true;  // nothing in it is an example
};

// The schedule of a form, and of the days and times of `words`.
std::optional<Meant> meant_by(std::string_view form, std::vector<std::string> words) {
    // A moment as other programs write it.
    if (form == "once") {
        for (auto& word : words)
            if (const auto t = word.find('t'); t == 10) word[t] = ' ';
        words = words_of(base::join(words, " "));
    }
    auto parts = parts_of(words, form == "hourly");
    if (!parts.others.empty()) return std::nullopt;
    Meant meant;
    if (form == "once") {
        meant.schedule = fmt::format("once at {} {}", base::join(parts.days, " "), base::join(parts.times, " "));
        return is_form(meant.schedule) ? std::optional(meant) : std::nullopt;
    }
    const bool is_riddle =
        form == "nightly" && std::any_of(parts.times.begin(), parts.times.end(), [](const auto& word) {
            const auto time = time_meant(word);
            return !time || !is_at_night(*time);
        });
    if (is_riddle) parts.times.clear();
    const bool has_days = !parts.days.empty();
    const bool is_daily = form == "daily" || form == "nightly", is_hourly = form == "hourly";
    if (parts.times.empty() && !is_hourly) parts.times.push_back(clock_text(usual_time));
    if (!has_days && form == "weekly") parts.days.emplace_back("sunday");
    if (!has_days && form == "monthly") parts.days.emplace_back("1");
    if (!has_days && form == "yearly") parts.days.emplace_back("01-01");
    const auto times = base::join(parts.times, ", ");
    // "Daily, Monday to Friday" is clear; daily on one day is not.
    const bool is_some_days = is_daily && has_days;
    if (form == "weekly" || is_some_days) {
        meant.schedule = weekly_form(parts.days, times);
    } else {
        meant.schedule = is_daily ? "daily" : form;
        if (!parts.days.empty()) meant.schedule += " on " + base::join(parts.days, ", ");
        if (!times.empty()) meant.schedule += " at " + times;
    }
    if (!is_form(meant.schedule)) return std::nullopt;
    const auto given = parts_of(words, is_hourly);
    meant.is_all = given.times == parts.times && given.days == parts.days && (!is_some_days || parts.days.size() > 1);
    return meant;
}

// The form that was named wherever it stands, or that the days and times have.
std::string form_of(const std::vector<std::string>& words, std::size_t position) {
    if (position < words.size()) return words[position];
    const auto parts = parts_of(words, false);
    if (!parts.days.empty()) return "weekly";
    return parts.times.empty() ? "" : "daily";
}

std::optional<std::string> fix_of(std::vector<std::string> words) {
    // What was to follow is missing.
    if (!words.empty() && is_one_of(words.back(), {"at", "on"})) return std::nullopt;
    const auto found = std::find_if(words.begin(), words.end(), [](const auto& word) { return is_form_word(word); });
    const auto position = static_cast<std::size_t>(found - words.begin());
    const auto form = form_of(words, position);
    if (is_one_of(form, {"every", "everyday", "each"})) return every_fix(words, position);
    const bool is_named = found != words.end();
    if (is_named) words.erase(found);
    const auto parts = parts_of(words, form == "hourly");
    if (parts.half > 0 && parts.others.empty()) {
        const bool has_no_days = is_one_of(form, {"daily", "nightly", "weekdays", "twice-daily"});
        const auto count = has_no_days && parts.begins_with_time ? parts.first_list : parts.half;
        const auto first = meant_by(form, {words.begin(), words.begin() + static_cast<std::ptrdiff_t>(count)});
        return first ? std::optional(say_job_each(first->schedule)) : std::nullopt;
    }
    auto meant = meant_by(form, words);
    // "On the 1st at 02:00": nearly certain.
    if (!meant && !is_named && !parts.times.empty()) {
        meant = meant_by("monthly", words);
        if (meant) meant->is_all = false;
    }
    // Where the form stands in front the error has an example of its own.
    if (!meant || (!meant->is_all && position == 0 && is_human_form(form))) return std::nullopt;
    return say(meant->schedule, meant->is_all);
}

// Names as the database has them: no text with another word for one can be offered.
bool names_zone(std::string_view zone) {
    if (is_one_of(zone, {"UTC", "GMT"})) return true;
    const auto slash = zone.find('/');
    const auto is_upper = [](char c) { return c >= 'A' && c <= 'Z'; };
    return slash != std::string_view::npos && slash + 1 < zone.size() && is_upper(zone.front()) &&
           is_upper(zone[slash + 1]);
}

// "02:00,14:00", which a calendar event has for 02:00 and 02:14.
bool lists_times(std::string_view text) {
    const auto entries = base::split(text, ',');
    return std::count_if(entries.begin(), entries.end(),
                         [](const auto& entry) { return entry.find(':') != std::string::npos; }) > 1;
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

std::optional<std::string> event_meant(std::string_view text) {
    auto event = fmt::format("calendar {}", text);
    const auto parsed = Schedule::parse(event);
    if (!parsed || lists_times(text) || (!parsed->own_zone().empty() && !names_zone(parsed->own_zone())))
        return std::nullopt;
    return event;
}

std::optional<std::string> human_fix(std::string_view text) {
    // Beyond this nobody mends by rewording.
    constexpr std::size_t most_bytes = 200;
    if (text.size() > most_bytes) return std::nullopt;
    const auto blank = text.find_last_of(' ');
    if (blank == std::string_view::npos || !looks_like_zone(text.substr(blank + 1))) return fix_of(words_of(text));
    const auto schedule = base::trim(text.substr(0, blank));
    const auto zone = text.substr(blank + 1);
    if (is_form(schedule)) return put_zone_apart(schedule, zone);
    const auto instead = fix_of(words_of(schedule));
    if (!instead) return std::nullopt;
    return fmt::format("{}{} put the zone into timezone: {}", *instead, instead->ends_with('"') ? ", and" : ";", zone);
}

}  // namespace pgbakd::calendar
