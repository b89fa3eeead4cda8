// The words of a schedule that is nearly one of the forms for people: for what guesses at what was meant.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgbakd::calendar {

// When a backup runs if nobody said when: minutes from midnight.
inline constexpr int usual_time = 2 * 60;

[[nodiscard]] bool is_one_of(std::string_view word, std::initializer_list<std::string_view> words);

// In lower case, without blanks and commas. What people write as several words is one: "2:30 pm", "mon to fri".
[[nodiscard]] std::vector<std::string> words_of(std::string_view text);

// "daily", "every", … and what people say for them: no day, no time and no zone.
[[nodiscard]] bool is_form_word(std::string_view word);

// Days and times told apart by their look, as the grammar has them; "at", "on", "and" and "the" are left out.
struct Parts {
    std::vector<std::string> days, times;
    std::vector<std::string> others;  // neither: what they mean is not known
    // Of days and times in turn, more than one list of each, nobody knows what belongs to what: how many words the
    // first of them take, and how many the first list of all. 0: there is one list of each.
    std::size_t half = 0, first_list = 0;
    bool begins_with_time = false;
};
// `hourly`: a number alone is a minute of the hour.
[[nodiscard]] Parts parts_of(const std::vector<std::string>& words, bool hourly);

// The minutes from midnight that a person means by "3:15", "03:15:00", "3am", "3:15pm", "noon" or "midnight".
[[nodiscard]] std::optional<int> time_meant(std::string_view word);
[[nodiscard]] std::string clock_text(int time);
// "Every night at 11:30" may be half a day later.
[[nodiscard]] bool is_at_night(int time);

// "say …" of a whole schedule; an example where it is not what was asked for.
[[nodiscard]] std::string say(std::string_view schedule, bool is_meant);
// Of a schedule that is part of what was meant, as each day has times of its own.
[[nodiscard]] std::string say_job_each(std::string_view schedule);
// "weekly on … at …", or "weekdays at …" if it is these days. It need not be right.
[[nodiscard]] std::string weekly_form(const std::vector<std::string>& days, std::string_view times);

// What to do instead of `every …` (the word at `position` in `words`; others may stand in front of it), where that is
// no step which the grammar has; a text that says "for example" where it is not what was asked for. Nothing if the
// error itself knows better.
[[nodiscard]] std::optional<std::string> every_fix(const std::vector<std::string>& words, std::size_t position);

}  // namespace pgbakd::calendar
