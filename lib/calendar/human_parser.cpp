#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "calendar/human_form.hpp"

namespace pgbakd::calendar {
namespace {

using Shape = HumanForm::Shape;

struct Opening {
    std::string_view word;
    Shape shape;
    std::string_view example;
};
constexpr std::array<Opening, 10> openings = {{
    {"daily", Shape::daily, "daily at 02:00"},
    {"weekdays", Shape::weekdays, "weekdays at 02:00, 14:00"},
    {"twice-daily", Shape::twice_daily, "twice-daily at 01:00, 13:00"},
    {"weekly", Shape::weekly, "weekly on sunday at 02:00"},
    {"monthly", Shape::monthly, "monthly on 1 at 03:00"},
    {"yearly", Shape::yearly, "yearly on 12-31 at 23:00"},
    {"hourly", Shape::hourly, "hourly at :15"},
    {"every", Shape::every_hours, "every 6 hours"},
    {"once", Shape::once, "once at 2026-12-01 02:00"},
    {"milestone", Shape::milestone, "milestone"},
}};
// `on change` has no time and no list: it is told apart by its first word alone.
constexpr std::string_view change_opening = "on";

std::string quoted(std::string_view text) {
    return fmt::format("\"{}\"", text);
}

class HumanParser {
  public:
    explicit HumanParser(Span text) : text_(text), scanner_(text) {}

    base::Result<HumanForm> parse() {
        if (auto status = parse_form(); !status) return status.error();
        scanner_.skip_blanks();
        if (const auto wrong = wrong_time_behind()) return *wrong;
        if (!scanner_.at_end())
            return problem(scanner_.position(), quoted(scanner_.rest().text), "the schedule is complete before it",
                           example());
        return form_;
    }

  private:
    // Steps have no time behind them; but of one that is none that is the first to be said.
    std::optional<base::Error> wrong_time_behind() {
        if (form_.shape != Shape::every_hours) return std::nullopt;
        const auto begin = scanner_;
        if (base::to_lower(scanner_.peek_word().text) == "at") (void)scanner_.word();
        scanner_.skip_blanks();
        const bool is_time =
            base::is_digit(scanner_.peek()) && scanner_.peek_word().text.find(':') != std::string::npos;
        auto time = is_time ? clock_time() : base::Result<int>(0);
        scanner_ = begin;
        return time ? std::nullopt : std::optional(time.error());
    }

    static bool begins_a_date(std::string_view word) {
        constexpr std::string_view months = "jan feb mar apr may jun jul aug sep oct nov dec";
        const auto beginning = base::to_lower(word.substr(0, 3));
        return !word.empty() && (base::is_digit(word.front()) ||
                                 (beginning.size() == 3 && months.find(beginning) != std::string_view::npos));
    }

    base::Status parse_form() {
        const auto word = base::to_lower(scanner_.word().text);
        if (word == change_opening) {
            form_.shape = Shape::on_change;
            example_ = "on change";
            scanner_.skip_blanks();
            // A day where only "change" belongs: one of a year.
            if (const auto next = scanner_.peek_word(); begins_a_date(next.text))
                return unexpected(next, "the word \"change\" belongs here",
                                  "say yearly on 12-31 at 02:00, for example");
            return expect("change");
        }
        const auto opening =
            std::find_if(openings.begin(), openings.end(), [&word](const Opening& o) { return o.word == word; });
        form_.shape = opening->shape;
        example_ = opening->example;
        switch (form_.shape) {
            case Shape::milestone:
            case Shape::on_change: return {};
            case Shape::daily:
            case Shape::weekdays: return times();
            case Shape::twice_daily: return two_times();
            case Shape::weekly: return weekly();
            case Shape::monthly: return monthly();
            case Shape::yearly: return yearly();
            case Shape::hourly: return hourly();
            case Shape::every_hours:
            case Shape::every_minutes: return every();
            case Shape::once: return once();
        }
        return {};
    }

    [[nodiscard]] base::Error unexpected(const Span& found, std::string_view why, std::string hint = {}) const {
        // Where a word is missing something else may stand: a comma.
        const auto there = found.text.empty() ? text_.sub(found.position - text_.position, 1) : found;
        return problem(there.position, there.text.empty() ? "the end of the text" : quoted(there.text), why,
                       hint.empty() ? example() : std::move(hint));
    }

    // Of what may have been meant; "on change" and "milestone" are what they are.
    [[nodiscard]] std::string example() const {
        const bool is_all = form_.shape == Shape::on_change || form_.shape == Shape::milestone;
        return fmt::format("say {}{}", example_, is_all ? "" : ", for example");
    }

    base::Status expect(std::string_view wanted) {
        scanner_.skip_blanks();
        const auto word = scanner_.word();
        if (base::to_lower(word.text) == wanted) return {};
        return unexpected(word, fmt::format("the word {} belongs here", quoted(wanted)));
    }

    // Calls `entry` for each part of a list with commas between.
    template <class Entry>
    base::Status list(Entry entry) {
        for (std::size_t count = 1;; ++count) {
            scanner_.skip_blanks();
            if (count > max_list_entries)
                return problem(scanner_.position(), fmt::format("a list of more than {} entries", max_list_entries), "",
                               "name fewer, or make a second job");
            if (auto status = entry(); !status) return status;
            scanner_.skip_blanks();
            if (!scanner_.take(',')) return {};
        }
    }

    // H:MM or HH:MM; `whole` is what an error shows.
    base::Result<int> clock_time() {
        const auto whole = scanner_.peek_word();
        const auto hour = parse_number(scanner_.digits().text);
        const bool has_colon = scanner_.take(':');
        const auto minute_text = scanner_.digits().text;
        const auto minute = parse_number(minute_text);
        const auto why = "a time is hour:minute";
        if (scanner_.position() != whole.end()) {
            if (hour && minute && scanner_.peek() == ':') return unexpected(whole, why, with_seconds(whole));
            return unexpected(whole, why, "say 02:00 or 14:30, for example");
        }
        if (!hour || !has_colon || !minute || minute_text.size() != 2 || whole.text.find(':') > 2)
            return unexpected(whole, why, "say 02:00 or 14:30, for example");
        // Of steps an example would have no time at all.
        const bool is_step = form_.shape == Shape::every_hours;
        const std::string hours = is_step ? "hours go from 0 to 23" : "",
                          minutes = is_step ? "minutes go from 0 to 59" : "";
        if (*hour > 23) return unexpected(whole, "hours are 0 to 23", *hour == 24 ? "midnight is 00:00" : hours);
        if (*minute > 59) return unexpected(whole, "minutes are 0 to 59", minutes);
        return *hour * 60 + *minute;
    }

    // The same by the grammar that has seconds, where it says that in one line.
    [[nodiscard]] std::string with_seconds(const Span& time) const {
        std::string alone = "leave the seconds out";
        if (time.end() != text_.end() || !form_.times.empty()) return alone;
        const auto month = static_cast<unsigned>(form_.date.month()), day = static_cast<unsigned>(form_.date.day());
        std::string dates;
        if (form_.shape == Shape::daily) dates = "*-*-*";
        if (form_.shape == Shape::weekdays) dates = "Mon..Fri *-*-*";
        if (form_.shape == Shape::yearly) dates = fmt::format("*-{:02}-{:02}", month, day);
        if (form_.shape == Shape::once)
            dates = fmt::format("{:04}-{:02}-{:02}", static_cast<int>(form_.date.year()), month, day);
        if (form_.shape == Shape::weekly)
            for (std::size_t i = 0; i < human_weekdays.size(); ++i)
                if (has_bit(form_.weekdays, static_cast<int>(i)))
                    dates += fmt::format("{}{}", dates.empty() ? "" : ",", human_weekdays[i].substr(0, 3));
        if (form_.shape == Shape::weekly) dates += " *-*-*";
        const auto event = fmt::format("calendar {} {}", dates, time.text);
        return dates.empty() || !Schedule::parse(event) ? alone : fmt::format("{}, or say \"{}\"", alone, event);
    }

    base::Status times() {
        if (auto status = expect("at"); !status) return status;
        return list([this]() -> base::Status {
            const auto time = clock_time();
            if (!time) return time.error();
            form_.times.insert(*time);
            return {};
        });
    }

    base::Status two_times() {
        scanner_.skip_blanks();
        const auto begin = scanner_.rest();
        if (auto status = times(); !status) return status;
        if (form_.times.size() == 2) return {};
        return problem(begin.position, quoted(begin.text), "twice-daily has two different times",
                       form_.times.size() == 1 ? "name a second time, or say daily" : "say daily for more than two");
    }

    // A weekday by its name or its first three letters.
    base::Result<Bits> weekday() {
        const auto word = scanner_.word();
        const auto lower = base::to_lower(word.text);
        for (std::size_t i = 0; i < human_weekdays.size(); ++i)
            if (lower == human_weekdays[i] || lower == human_weekdays[i].substr(0, 3)) return Bits{1} << i;
        const std::vector<std::string> names(human_weekdays.begin(), human_weekdays.end());
        // Words that end like a weekday's name, and are none.
        constexpr std::array others{"day", "weekday", "workday", "holiday", "today", "payday"};
        if (std::any_of(others.begin(), others.end(), [&lower](std::string_view other) {
                return lower == other || lower == std::string(other) + "s";
            }))
            return unexpected(word, "not a weekday",
                              "weekdays are " + base::join(names, ", ") + "; weekdays at 02:00 is monday to friday");
        if (const auto nearest = base::closest(lower, names); nearest && !lower.empty())
            return unexpected(word, "not a weekday", fmt::format("did you mean {}?", *nearest));
        return unexpected(word, "a weekday belongs here", "weekdays are " + base::join(names, ", "));
    }

    base::Status weekly() {
        scanner_.skip_blanks();
        if (base::to_lower(scanner_.peek_word().text) != "on")
            return unexpected(scanner_.peek_word(), "weekly needs a day");
        if (auto status = expect("on"); !status) return status;
        auto status = list([this]() -> base::Status {
            const auto day = weekday();
            if (!day) return day.error();
            form_.weekdays |= *day;
            return {};
        });
        return status ? times() : status;
    }

    // 1 to 31, last-day, or one of the ordinals and a weekday.
    base::Status day_of_month() {
        const auto word = scanner_.word();
        const auto lower = base::to_lower(word.text);
        if (lower == "last-day") {
            form_.last_day = true;
            return {};
        }
        const auto ordinal = std::find(human_ordinals.begin(), human_ordinals.end(), lower);
        if (ordinal != human_ordinals.end()) {
            scanner_.skip_blanks();
            if (lower == "last" && base::to_lower(scanner_.peek_word().text) == "day")
                return unexpected(scanner_.peek_word(), "the last day is one word", "say last-day");
            const auto day = weekday();
            if (!day) return day.error();
            const auto nth = static_cast<std::size_t>(ordinal - human_ordinals.begin());
            (nth == 0 ? form_.last_weekdays : form_.nth_weekdays[nth]) |= *day;
            return {};
        }
        const auto day = parse_number(word.text);
        if (!day || *day < 1 || *day > 31 || word.text.size() > 2)
            return unexpected(word, "a day of the month is 1 to 31, last-day, or first to fifth or last and a weekday",
                              "say monthly on 1, monthly on last-day or monthly on first sunday, for example");
        form_.month_days |= Bits{1} << static_cast<unsigned>(*day);
        return {};
    }

    base::Status monthly() {
        scanner_.skip_blanks();
        if (base::to_lower(scanner_.peek_word().text) != "on")
            return unexpected(scanner_.peek_word(), "monthly needs a day");
        if (auto status = expect("on"); !status) return status;
        auto status = list([this] { return day_of_month(); });
        return status ? times() : status;
    }

    // Parts of a date, with the given numbers of digits and "-" between.
    std::optional<std::vector<int>> date_parts(const Span& word, std::initializer_list<std::size_t> widths) const {
        const auto parts = base::split(word.text, '-');
        std::vector<int> numbers;
        if (parts.size() != widths.size()) return std::nullopt;
        for (std::size_t i = 0; i < parts.size(); ++i) {
            const auto number = parse_number(parts[i]);
            if (!number || parts[i].size() != *(widths.begin() + i)) return std::nullopt;
            numbers.push_back(*number);
        }
        return numbers;
    }

    base::Status yearly() {
        scanner_.skip_blanks();
        if (base::to_lower(scanner_.peek_word().text) != "on")
            return unexpected(scanner_.peek_word(), "yearly needs a date");
        if (auto status = expect("on"); !status) return status;
        scanner_.skip_blanks();
        const auto word = scanner_.word();
        const auto parts = date_parts(word, {2, 2});
        if (!parts) return unexpected(word, "the date of a year is month-day");
        // Any leap year: 29 February is a date.
        form_.date = std::chrono::year{2000} / (*parts)[0] / (*parts)[1];
        if (!form_.date.ok()) return unexpected(word, "there is no such day");
        if (scanner_.peek() == ',')
            return problem(scanner_.position(), "a second date", "yearly has one", "use a job for each, or cron");
        return times();
    }

    base::Status hourly() {
        scanner_.skip_blanks();
        if (scanner_.at_end()) {
            form_.times.insert(0);
            return {};
        }
        if (auto status = expect("at"); !status) return status;
        return list([this]() -> base::Status {
            const auto word = scanner_.word();
            const auto minute =
                word.text.size() == 3 && word.text.front() == ':' ? parse_number(word.text.substr(1)) : std::nullopt;
            if (!minute || *minute > 59) return unexpected(word, "the minute of each hour is :00 to :59");
            form_.times.insert(*minute);
            return {};
        });
    }

    base::Status every() {
        scanner_.skip_blanks();
        const auto count = scanner_.word();
        const auto number = parse_number(count.text);
        const std::string steps = "say every 6 hours or every 15 minutes, for example";
        if (!number) return unexpected(count, "a whole number belongs here", steps);
        scanner_.skip_blanks();
        const auto unit = scanner_.word();
        const auto lower = base::to_lower(unit.text);
        if (lower == "hour" || lower == "hours") {
            form_.shape = Shape::every_hours;
        } else if (lower == "minute" || lower == "minutes") {
            form_.shape = Shape::every_minutes;
            example_ = "every 15 minutes";
        } else if (*number == 0 && !unit.text.empty()) {
            return problem(count.position, quoted(count.text), "the number must be at least 1",
                           lower.starts_with("day") ? "say daily at 02:00, for example" : steps);
        } else {
            return unexpected(unit, "steps are of hours or minutes", steps);
        }
        const int whole = form_.shape == Shape::every_hours ? 24 : 60;
        if (*number < 1 || whole % *number != 0)
            return problem(count.position, fmt::format("every {} {}", count.text, unit.text),
                           fmt::format("steps start at midnight and must divide {}", whole),
                           whole == 24 ? "use 1, 2, 3, 4, 6, 8, 12 or 24 hours"
                                       : "use 1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30 or 60 minutes");
        form_.every = *number;
        return {};
    }

    base::Status once() {
        if (auto status = expect("at"); !status) return status;
        scanner_.skip_blanks();
        const auto word = scanner_.word();
        const auto parts = date_parts(word, {4, 2, 2});
        if (!parts) return unexpected(word, "a date is year-month-day");
        form_.date = std::chrono::year{(*parts)[0]} / (*parts)[1] / (*parts)[2];
        if (!form_.date.ok()) return unexpected(word, "there is no such day");
        if ((*parts)[0] < YearSet::lowest || (*parts)[0] > YearSet::highest)
            return unexpected(word, fmt::format("years are {} to {}", YearSet::lowest, YearSet::highest));
        scanner_.skip_blanks();
        const auto time = clock_time();
        if (!time) return time.error();
        form_.times.insert(*time);
        return {};
    }

    Span text_;
    Scanner scanner_;
    HumanForm form_;
    std::string example_;
};

}  // namespace

bool is_human_form(std::string_view text) {
    const auto word = base::to_lower(Scanner({text, 0}).word().text);
    return word == change_opening ||
           std::any_of(openings.begin(), openings.end(), [&word](const Opening& o) { return o.word == word; });
}

std::string_view example_of(std::string_view word) {
    const auto found =
        std::find_if(openings.begin(), openings.end(), [&word](const Opening& o) { return o.word == word; });
    return found == openings.end() ? "calendar *-*-* 02:00:00" : found->example;
}

base::Result<HumanForm> read_human_form(Span text) {
    return HumanParser(text).parse();
}

}  // namespace pgbakd::calendar
