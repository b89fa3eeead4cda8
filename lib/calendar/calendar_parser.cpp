#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "calendar/calendar_form.hpp"
#include "calendar/human_words.hpp"
#include "calendar/value_list.hpp"

namespace pgbakd::calendar {
namespace {

struct Shorthand {
    std::string_view name, meaning;
};
constexpr std::array<Shorthand, 13> shorthands = {{
    {"minutely", "*-*-* *:*:00"},
    {"hourly", "*-*-* *:00:00"},
    {"daily", "*-*-* 00:00:00"},
    {"weekly", "Mon *-*-* 00:00:00"},
    {"monthly", "*-*-01 00:00:00"},
    {"quarterly", "*-01,04,07,10-01 00:00:00"},
    {"semiannually", "*-01,07-01 00:00:00"},
    {"semi-annually", "*-01,07-01 00:00:00"},
    {"biannually", "*-01,07-01 00:00:00"},
    {"bi-annually", "*-01,07-01 00:00:00"},
    {"yearly", "*-01-01 00:00:00"},
    {"annually", "*-01-01 00:00:00"},
    {"anually", "*-01-01 00:00:00"},
}};

// A component before it is known whether it is a year, a month or an hour: that shows only behind it.
struct Chain {
    struct Entry {
        Span text;
        int first = 0, last = -1, step = 0;  // last: -1 if absent; step: 0 if absent
    };
    std::vector<Entry> entries;  // empty: *
};

std::string quoted(std::string_view text) {
    return fmt::format("\"{}\"", text);
}

base::Result<int> read_number(Scanner& scanner) {
    const auto digits = scanner.digits();
    const auto number = parse_number(digits.text);
    if (number) return *number;
    if (!digits.text.empty())
        return problem(digits.position, "a number of more than six digits", "",
                       "years have four digits, all others two");
    const auto found = scanner.rest();
    return problem(found.position, found.text.empty() ? "the end of the text" : quoted(found.text.substr(0, 1)),
                   "a number or \"*\" belongs here", "say calendar Mon..Fri *-*-* 02:00:00, for example");
}

bool ends_component(char c) {
    return c == '\0' || c == ' ' || c == ',' || c == '-' || c == '~' || c == ':';
}

base::Result<Chain> read_chain(Scanner& scanner) {
    Chain chain;
    if (scanner.take('*')) {
        if (scanner.peek() == '/')
            return problem(scanner.position() - 1, "\"*/\"", "in calendar a step needs a start",
                           "say 00/2 for every second hour or minute, 01/2 for days and months");
        return chain;
    }
    do {
        const auto begin = scanner.rest();
        if (chain.entries.size() == max_list_entries)
            return problem(begin.position, fmt::format("a list of more than {} entries", max_list_entries), "",
                           "say a range or a step");
        Chain::Entry entry;
        const auto first = read_number(scanner);
        if (!first) return first.error();
        entry.first = *first;
        if (scanner.peek() == '.' && scanner.peek(1) != '.')
            return problem(scanner.position(), "a fraction", "times are whole seconds", "leave the fraction out");
        if (scanner.take('.') && scanner.take('.')) {
            const auto last = read_number(scanner);
            if (!last) return last.error();
            entry.last = *last;
        }
        if (scanner.take('/')) {
            const auto position = scanner.position();
            const auto step = read_number(scanner);
            if (!step) return step.error();
            if (scanner.peek() == '.' && scanner.peek(1) != '.')
                return problem(position, "a fraction", "times are whole seconds",
                               *step == 0 ? "a step is a whole number, 1 or more" : "leave the fraction out");
            if (*step == 0)
                return problem(position, "a step of 0", "it would never come to an end", "leave the step out");
            entry.step = *step;
        }
        if (scanner.peek() == '.' && scanner.peek(1) == '.')
            return problem(scanner.position(), "a second end of the range", "", "separate ranges by commas");
        if (scanner.peek() == '.')
            return problem(scanner.position(), "a fraction", "times are whole seconds", "leave the fraction out");
        if (!ends_component(scanner.peek()))
            return problem(scanner.position(), quoted(scanner.rest().text.substr(0, 1)), "not part of a date or time",
                           "lists are 1,2, ranges 1..5, steps 0/2");
        entry.text = begin;
        entry.text.text = begin.text.substr(0, scanner.position() - begin.position);
        chain.entries.push_back(entry);
    } while (scanner.take(','));
    return chain;
}

// 12 is 2012, 89 is 1989: systemd's reading of years with two digits.
int full_year(int year) {
    return year < 0 || year >= 100 ? year : year < 70 ? year + 2000 : year + 1900;
}

// What was meant by a range that goes downwards. Days from the end of the month do, years never begin again; all else
// goes on over the end.
std::string upward_fix(int first, int last, int step, const ComponentFacts& facts, bool from_end) {
    if (from_end || facts.name == year_facts.name)
        return "say " + print_range(last + (first - last) % step, first, step, "..");
    return "say " + unwrap({first, last, step, facts.lowest, facts.highest}, "..");
}

base::Result<std::vector<int>> values_in(const Chain& chain, const ComponentFacts& facts, bool from_end) {
    std::vector<int> values;
    for (auto entry : chain.entries) {
        if (facts.name == year_facts.name) {
            entry.first = full_year(entry.first);
            entry.last = full_year(entry.last);
        }
        const bool is_range = entry.last >= 0;
        // An end that the steps do not meet is none: systemd takes 0..24/5 for 0..20/5.
        if (is_range && entry.step > 0 && entry.last > entry.first)
            entry.last -= (entry.last - entry.first) % entry.step;
        for (const int value : {entry.first, is_range ? entry.last : entry.first})
            if (value < facts.lowest || value > facts.highest)
                return problem(entry.text.position, fmt::format("{} {}", facts.name, value),
                               fmt::format("must be {} to {}", facts.lowest, facts.highest),
                               "dates are year-month-day, times hour:minute:second");
        if (is_range && entry.first > entry.last)
            return problem(entry.text.position, quoted(entry.text.text), "a range goes upwards",
                           upward_fix(entry.first, entry.last, std::max(entry.step, 1), facts, from_end));
        if (is_range) {
            for (int value = entry.first; value <= entry.last; value += std::max(entry.step, 1))
                values.push_back(value);
            continue;
        }
        // Days that count from the end of the month go on towards the end: downwards.
        const int room = from_end ? entry.first - facts.lowest : facts.highest - entry.first;
        if (entry.step > room)
            return problem(entry.text.position, quoted(entry.text.text), "the step leads out of the range at once",
                           fmt::format("say {}", entry.first));
        values.push_back(entry.first);
        for (int left = room - entry.step; left >= 0 && entry.step > 0; left -= entry.step)
            values.push_back(values.back() + (from_end ? -entry.step : entry.step));
    }
    std::sort(values.begin(), values.end());
    values.erase(std::unique(values.begin(), values.end()), values.end());
    return values;
}

base::Status set_bits(Bits& bits, const Chain& chain, const ComponentFacts& facts, bool from_end = false) {
    bits = bit_range(facts.lowest, facts.highest);
    if (chain.entries.empty()) return {};
    const auto values = values_in(chain, facts, from_end);
    if (!values) return values.error();
    bits = 0;
    for (const int value : *values) bits |= Bits{1} << static_cast<unsigned>(value);
    return {};
}

// Steps without an end go on to the end of the hour or day, and begin anew there.
void warn_uneven(std::vector<std::string>& warnings, const Chain& chain, const ComponentFacts& facts) {
    for (const auto& entry : chain.entries) {
        if (entry.last >= 0 || entry.step == 0) continue;
        const int left = facts.highest + 1 - entry.first;
        const int last_step = (left - 1) % entry.step + 1 + entry.first;
        if (last_step != entry.step)
            warnings.push_back(fmt::format("{} in the {} starts again at {} each {}: the last step is {}, not {}",
                                           entry.text.text, facts.name, entry.first,
                                           facts.name == hour_facts.name ? "day" : "hour", last_step, entry.step));
    }
}

base::Error not_a_date(const Scanner& scanner) {
    const auto rest = scanner.rest();
    return problem(rest.position, rest.text.empty() ? "the end of the text" : quoted(rest.text.substr(0, 1)),
                   "a date is month-day or year-month-day, a time hour:minute or hour:minute:second",
                   "say calendar *-*-* 02:00:00 for each day at 02:00");
}

// Nothing of it, month-day or year-month-day; "~" before the day counts from the month's end.
base::Status read_date(Scanner& scanner, CalendarForm& event) {
    Scanner ahead = scanner;
    std::vector<Chain> chains;
    for (;;) {
        auto chain = read_chain(ahead);
        if (!chain) return chain.error();
        chains.push_back(*std::move(chain));
        if (chains.size() == 1 && (ahead.at_end() || ahead.peek() == ':')) return {};  // a time
        if (ahead.at_end() || ahead.peek() == ' ') break;
        if (event.from_end || chains.size() == 3 || (ahead.peek() != '-' && ahead.peek() != '~'))
            return not_a_date(ahead);
        event.from_end = ahead.peek() == '~';
        ahead.take(ahead.peek());
    }
    if (chains.size() == 1) return not_a_date(ahead);
    ahead.skip_blanks();
    scanner = ahead;
    const auto& day = chains.back();
    if (day.entries.empty()) event.from_end = false;
    if (auto status = set_bits(event.days, day, event.from_end ? day_from_end_facts : day_facts, event.from_end);
        !status)
        return status;
    if (auto status = set_bits(event.months, chains[chains.size() - 2], month_facts); !status) return status;
    if (chains.size() == 3 && !chains[0].entries.empty()) {
        auto years = values_in(chains[0], year_facts, false);
        if (!years) return years.error();
        event.years = *std::move(years);
    }
    return {};
}

base::Status read_time(Scanner& scanner, CalendarForm& event) {
    if (scanner.at_end()) return {};
    struct Part {
        Bits* bits;
        const ComponentFacts* facts;
    };
    const std::array<Part, 3> parts = {
        {{&event.hours, &hour_facts}, {&event.minutes, &minute_facts}, {&event.seconds, &second_facts}}};
    for (std::size_t i = 0; i < parts.size(); ++i) {
        if (i != 0 && !scanner.take(':')) return not_a_date(scanner);
        const auto chain = read_chain(scanner);
        if (!chain) return chain.error();
        if (auto status = set_bits(*parts[i].bits, *chain, *parts[i].facts); !status) return status;
        if (parts[i].bits != &event.seconds) warn_uneven(event.warnings, *chain, *parts[i].facts);
        if (i == 1 && scanner.at_end()) return {};
    }
    return scanner.at_end() ? base::Status{} : not_a_date(scanner);
}

// @SECONDS since 1970, in UTC; blanks and a plus in front are taken, as strtoull(3) does for systemd.
base::Result<CalendarForm> event_at(Span text) {
    auto digits = text.text.substr(std::min(text.text.find_first_not_of(' ', 1), text.text.size()));
    if (digits.starts_with('+')) digits.remove_prefix(1);
    std::int64_t seconds = 0;
    for (const char c : digits) {
        if (!base::is_digit(c) || digits.size() > 10)
            return problem(text.position, quoted(text.text), "@ is followed by whole seconds since 1970",
                           "say calendar 2026-12-01 02:00:00, for example");
        seconds = seconds * 10 + (c - '0');
    }
    const std::chrono::sys_seconds instant{std::chrono::seconds{seconds}};
    const auto day = std::chrono::floor<std::chrono::days>(instant);
    const std::chrono::year_month_day date{day};
    const std::chrono::hh_mm_ss time{instant - day};
    const int year = static_cast<int>(date.year());
    if (digits.empty() || year > YearSet::highest)
        return problem(text.position, quoted(text.text),
                       fmt::format("the year must be {} to {}", YearSet::lowest, YearSet::highest),
                       "say calendar 2026-12-01 02:00:00, for example");
    const auto bit = [](auto value) { return Bits{1} << static_cast<unsigned>(value); };
    CalendarForm event;
    event.years = {year};
    event.months = bit(static_cast<unsigned>(date.month()));
    event.days = bit(static_cast<unsigned>(date.day()));
    event.hours = bit(time.hours().count());
    event.minutes = bit(time.minutes().count());
    event.seconds = bit(time.seconds().count());
    return event;
}

// The zone at the end, and the text without it. Whether there is such a zone is for the configuration to find out.
base::Result<std::string> take_zone(Span& text) {
    const auto blank = text.text.find_last_of(' ');
    if (blank == std::string_view::npos) return std::string();
    const auto word = text.sub(blank + 1);
    if (names_weekday(word.text)) return std::string();
    const bool begins_as_name = base::is_letter(word.text.front());
    if (!std::all_of(word.text.begin(), word.text.end(), [](char c) {
            return base::is_letter(c) || base::is_digit(c) || c == '/' || c == '_' || c == '+' || c == '-';
        })) {
        // No time has letters.
        const bool has_letter = std::any_of(word.text.begin(), word.text.end(), base::is_letter);
        if (begins_as_name || (has_letter && word.text.find('/') != std::string_view::npos))
            return problem(word.position, quoted(word.text), "neither a time nor the name of a time zone",
                           "time zones have names as Europe/Berlin or UTC");
        return std::string();
    }
    if (!begins_as_name) return std::string();
    if (is_form_word(base::to_lower(word.text)))
        return problem(word.position, quoted(word.text), "neither a time nor the name of a time zone",
                       human_fix(text.text).value_or("time zones have names as Europe/Berlin or UTC"));
    text = text.sub(0, text.text.find_last_not_of(' ', blank) + 1);
    return base::to_lower(word.text) == "utc" ? "UTC" : std::string(word.text);
}

std::string hint_for_word(Span text) {
    if (is_human_form(text.text) && Schedule::parse(text.text)) return fmt::format("did you mean \"{}\"?", text.text);
    std::vector<std::string> names;
    names.reserve(shorthands.size());
    for (const auto& shorthand : shorthands) names.emplace_back(shorthand.name);
    const auto nearest = base::closest(text.text, names);
    // A slip leaves a word as long as it was: weekdays is not weekly, biweekly neither.
    if (!nearest || nearest->size() > text.text.size() + 1 || text.text.size() > nearest->size() + 1)
        return "say calendar Mon..Fri *-*-* 02:00:00, for example";
    return fmt::format("did you mean \"calendar {}\"?", *nearest);
}

base::Result<CalendarForm> read_event(Span text) {
    CalendarForm event;
    Scanner scanner(text);
    const auto begin = scanner.rest();
    if (auto status = read_calendar_weekdays(scanner, event.weekdays); !status) return status.error();
    if (!scanner.at_end() && scanner.rest().text == begin.text && base::is_letter(scanner.peek())) {
        return problem(begin.position, quoted(scanner.peek_word().text), "neither a weekday nor a known word",
                       hint_for_word(text));
    }
    if (!scanner.at_end())
        if (auto status = read_date(scanner, event); !status) return status.error();
    if (auto status = read_time(scanner, event); !status) return status.error();
    return event;
}

}  // namespace

base::Result<CalendarForm> read_calendar_form(Span text) {
    auto zone = take_zone(text);
    if (!zone) return zone.error();
    if (text.text.empty())
        return problem(text.position, "no calendar event", "", "say calendar *-*-* 02:00:00 for each day at 02:00");
    for (const auto& shorthand : shorthands)
        if (shorthand.name == base::to_lower(text.text)) text.text = shorthand.meaning;
    const bool is_timestamp = text.text.front() == '@';
    auto event = is_timestamp ? event_at(text) : read_event(text);
    if (event) event->zone = is_timestamp ? std::string("UTC") : *zone;
    return event;
}

}  // namespace pgbakd::calendar
