// The words of a schedule that is nearly one of the forms for people: for what guesses at what was meant.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgbakd::calendar {

[[nodiscard]] bool is_one_of(std::string_view word, std::initializer_list<std::string_view> words);

// In lower case, without blanks and commas.
[[nodiscard]] std::vector<std::string> words_of(std::string_view text);

// Days and times told apart by their look; "at", "on", "and" and "the" are left out.
struct Parts {
    std::vector<std::string> days, times;
};
// `hourly`: a number alone is a minute of the hour.
[[nodiscard]] Parts parts_of(const std::vector<std::string>& words, bool hourly);

// The minutes from midnight that a person means by "3:15", "03:15:00", "3am", "3:15pm", "noon" or "midnight".
[[nodiscard]] std::optional<int> time_meant(std::string_view word);

// What to do instead of `every …` (in `words`), where that is no step which the grammar has; a text that ends with "for
// example" where it is not what was asked for. Nothing if the error itself knows better.
[[nodiscard]] std::optional<std::string> every_fix(const std::vector<std::string>& words);

}  // namespace pgbakd::calendar
