#include <fmt/format.h>

#include "base/text.hpp"
#include "calendar/cron_form.hpp"
#include "calendar/value_list.hpp"

namespace pgbakd::calendar {
namespace {

struct Macro {
    std::string_view name, fields;
};
constexpr std::array<Macro, 7> macros = {{
    {"@hourly", "0 * * * *"},
    {"@daily", "0 0 * * *"},
    {"@midnight", "0 0 * * *"},
    {"@weekly", "0 0 * * 0"},
    {"@monthly", "0 0 1 * *"},
    {"@yearly", "0 0 1 1 *"},
    {"@annually", "0 0 1 1 *"},
}};

std::string quoted(std::string_view text) {
    return fmt::format("\"{}\"", text);
}

// One entry of one field: *, a, a-b, with /n.
class EntryParser {
  public:
    EntryParser(CronForm& cron, std::size_t field, Span entry) : cron_(cron), field_(field), entry_(entry) {}

    base::Status parse() {
        const auto& text = entry_.text;
        if (text.empty())
            return problem(entry_.position, fmt::format("an empty entry in the {} field", fact().name), "",
                           "remove the comma, or write a value");
        if (text.front() == '?')
            return problem(entry_.position, quoted(text), "\"?\" belongs to another dialect of cron", "say *");
        if (auto done = special()) return *done;

        const auto slash = text.find('/');
        const auto range = entry_.sub(0, slash);
        int step = 1;
        if (slash != std::string_view::npos) {
            const auto parsed = read_step(entry_.sub(slash + 1));
            if (!parsed) return parsed.error();
            step = *parsed;
        }
        if (range.text == "*") {
            add(fact().lowest, highest(), step);
            warn_uneven(step);
            return {};
        }
        if (range.text.empty())
            return problem(entry_.position, quoted(text), "a step needs a range", fmt::format("say */{}", step));
        const auto dash = range.text.find('-');
        const auto first = read_value(range.sub(0, dash));
        if (!first) return first.error();
        if (dash == std::string_view::npos) {
            if (slash != std::string_view::npos)
                return problem(entry_.position, quoted(text), "a step needs a range",
                               "say " + print_range(from_sunday(*first), highest(), step, "-"));
            add(*first, *first, 1);
            return {};
        }
        const auto last = read_value(range.sub(dash + 1));
        if (!last) return last.error();
        if (*first > *last) return wrapped(*first, *last, step);
        add(*first, *last, step);
        return {};
    }

  private:
    [[nodiscard]] const CronFacts& fact() const { return cron_facts[field_]; }
    // Of what a star means: Sunday once.
    [[nodiscard]] int highest() const { return field_ == weekday_field ? 6 : fact().highest; }

    // Sunday at the front of a range.
    [[nodiscard]] int from_sunday(int value) const { return field_ == weekday_field ? value % 7 : value; }

    void add(int first, int last, int step) {
        auto bits = bit_range(first, last, step);
        if (field_ == weekday_field && has_bit(bits, 7)) bits = (bits & all_weekdays) | 1U;
        cron_.fields[field_].values |= bits;
    }

    void warn_uneven(int step) {
        // Months have no one length that a step could divide.
        if (field_ == day_field && step > 1)
            cron_.warnings.push_back(
                fmt::format("*/{} in the {} field starts again on the first of each month", step, fact().name));
        const int count = highest() - fact().lowest + 1;
        if (field_ > hour_field || step >= count || count % step == 0) return;
        cron_.warnings.push_back(fmt::format("*/{} in the {} field starts again at 0 {}: the last step is {}, not {}",
                                             step, fact().name, field_ == minute_field ? "each hour" : "each day",
                                             count % step, step));
    }

    // L in the day field, D#N and DL in the weekday field, and what looks like them.
    std::optional<base::Status> special() {
        const auto lower = base::to_lower(entry_.text);
        if (field_ == day_field && lower == "l") {
            cron_.last_day = true;
            return base::Status{};
        }
        if (lower.find('#') != std::string::npos) return nth_weekday();
        if (lower.back() == 'w' && lower.size() <= 3 && field_ == day_field)
            return problem(entry_.position, quoted(entry_.text), "the nearest working day is not supported",
                           "say a day (15), the last one (L), or a weekday of the month (1#3)");
        if (field_ == day_field && lower.starts_with("l-")) return days_before_last();
        // Of the names of months and weekdays "jul" alone ends in l.
        if (lower.back() != 'l' || (field_ == month_field && lower.ends_with("jul"))) return std::nullopt;
        if (field_ != weekday_field || lower.size() == 1)
            return problem(entry_.position, quoted(entry_.text),
                           fmt::format("\"L\" means nothing in the {} field", fact().name),
                           "the last day of the month is L in the third field, its last friday is 5L in the fifth");
        const auto named = entry_.sub(0, entry_.text.size() - 1);
        if (const auto dash = named.text.find('-'); dash != std::string_view::npos) return last_of_range(named, dash);
        const auto day = read_value(named);
        if (!day) return base::Status{day.error()};
        cron_.last_weekdays |= Bits{1} << static_cast<unsigned>(*day % 7);
        return base::Status{};
    }

    [[nodiscard]] base::Error days_before_last() const {
        const auto before = parse_number(entry_.text.substr(2));
        return problem(
            entry_.position, quoted(entry_.text), "cron here has no days before the last one",
            before && *before < 28
                ? fmt::format("say \"calendar *-*~{:02} 02:00\" for that day at 02:00, for example", *before + 1)
                : "say L for the last day");
    }

    // "1-5L": L stands behind one weekday.
    [[nodiscard]] base::Error last_of_range(Span range, std::size_t dash) const {
        const auto first = read_value(range.sub(0, dash)), last = read_value(range.sub(dash + 1));
        std::string each;
        for (int day = first ? *first : 0; first && last && day <= *last; ++day)
            each += fmt::format("{}{}L", each.empty() ? "" : ",", day);
        return problem(entry_.position, quoted(entry_.text), "\"L\" stands behind one weekday",
                       each.empty() ? "the last friday of the month is 5L"
                                    : fmt::format("say {} for the last of each, or 5L for the last friday alone, for "
                                                  "example",
                                                  each));
    }

    base::Status nth_weekday() {
        const auto hash = entry_.text.find('#');
        if (field_ != weekday_field)
            return problem(entry_.position, quoted(entry_.text), "\"#\" belongs in the weekday field",
                           "the third friday of the month is 5#3 in the fifth field");
        if (hash == 0)
            return problem(entry_.position, quoted(entry_.text), "a weekday belongs before \"#\"",
                           "the third friday of the month is 5#3");
        const auto day = read_value(entry_.sub(0, hash));
        if (!day) return day.error();
        const auto count = entry_.sub(hash + 1);
        const auto nth = parse_number(count.text);
        if (!nth || *nth < 1 || *nth > 5)
            return problem(count.position, quoted(count.text), "a month has a first to a fifth of a weekday",
                           fmt::format("say {0}#1 to {0}#5, or {0}L for the last", *day));
        cron_.nth_weekdays[static_cast<std::size_t>(*nth)] |= Bits{1} << static_cast<unsigned>(*day % 7);
        return {};
    }

    [[nodiscard]] base::Result<int> read_step(Span step) const {
        const auto number = parse_number(step.text);
        if (!number)
            return problem(step.position, step.text.empty() ? "no step after \"/\"" : quoted(step.text),
                           "a step is a whole number", fmt::format("say */2 for every second {}", fact().name));
        if (*number == 0)
            return problem(step.position, "a step of 0", "it would never come to an end",
                           fmt::format("say * for every {}", fact().name));
        return *number;
    }

    [[nodiscard]] base::Result<int> read_value(Span value) const {
        const auto lower = base::to_lower(value.text);
        const auto name = std::find(fact().names.begin(), fact().names.end(), lower);
        if (name != fact().names.end()) return fact().first_named + static_cast<int>(name - fact().names.begin());
        const auto bounds = fmt::format("must be {} to {}", fact().lowest, fact().highest);
        const auto number = parse_number(value.text);
        if (!number) return not_a_value(value, bounds);
        if (*number < fact().lowest || *number > fact().highest)
            return problem(value.position, fmt::format("{} {}", fact().name, *number), bounds,
                           field_ == hour_field && *number == 24 ? "midnight is hour 0" : bounds_hint());
        return *number;
    }

    [[nodiscard]] std::string bounds_hint() const {
        return fmt::format("the fields are, in this order: {}", cron_field_order);
    }

    [[nodiscard]] base::Error not_a_value(Span value, std::string_view bounds) const {
        if (value.text.empty())
            return problem(value.position, fmt::format("no {}", fact().name), bounds,
                           "write a value on both sides of -");
        std::vector<std::string> names(fact().names.begin(), fact().names.end());
        const auto lower = base::to_lower(value.text);
        for (const auto& name : names)
            if (lower.starts_with(name))
                return problem(value.position, quoted(value.text), "names have three letters", "say " + name);
        const auto hint = names.empty() ? bounds_hint() : "names are " + base::join(names, ", ");
        return problem(value.position, fmt::format("{} {}", fact().name, quoted(value.text)), bounds, hint);
    }

    [[nodiscard]] base::Error wrapped(int first, int last, int step) const {
        first = from_sunday(first);
        if (field_ == weekday_field && last == 0 && first != 0) last = 7;
        const auto fix = first <= last ? print_range(first, last, step, "-")
                                       : unwrap({first, last, step, fact().lowest, highest()}, "-");
        return problem(entry_.position, quoted(entry_.text), "a range goes upwards", "say " + fix);
    }

    CronForm& cron_;
    std::size_t field_;
    Span entry_;
};

base::Status parse_field(CronForm& cron, std::size_t index, Span field) {
    cron.fields[index].star = field.text.starts_with('*');
    std::size_t begin = 0;
    for (std::size_t entries = 1;; ++entries) {
        if (entries > max_list_entries)
            return problem(field.position, fmt::format("a list of more than {} entries", max_list_entries), "",
                           "say a range or a step");
        const auto comma = field.text.find(',', begin);
        const auto entry = field.sub(begin, comma == std::string_view::npos ? comma : comma - begin);
        if (auto status = EntryParser(cron, index, entry).parse(); !status) return status;
        if (comma == std::string_view::npos) return {};
        begin = comma + 1;
    }
}

base::Result<CronForm> parse_fields(std::span<const Span> fields) {
    CronForm cron;
    for (std::size_t i = 0; i < cron_facts.size(); ++i)
        if (auto status = parse_field(cron, i, fields[i]); !status) return status.error();
    return cron;
}

}  // namespace

base::Result<CronForm> read_cron_form(Span text) {
    Span fields_text = text;
    if (text.text.starts_with('@')) {
        const auto lower = base::to_lower(text.text);
        const auto found = std::find_if(macros.begin(), macros.end(), [&](const Macro& m) { return m.name == lower; });
        if (found == macros.end()) {
            if (lower == "@reboot")
                return problem(text.position, quoted(text.text), "it names no time",
                               "give a time, and catch_up: once runs what was missed while the host was down");
            const auto blank = text.text.find(' ');
            const auto zone = base::trim(text.text.substr(std::min(blank, text.text.size())));
            if (looks_like_zone(zone) && Schedule::parse(text.text.substr(0, blank)))
                return problem(text.position + blank, quoted(zone), "a macro stands alone",
                               put_zone_apart(text.text.substr(0, blank), zone));
            std::vector<std::string> names;
            names.reserve(macros.size());
            for (const auto& macro : macros) names.emplace_back(macro.name);
            return problem(text.position, quoted(text.text), "no such macro", "macros are " + base::join(names, ", "));
        }
        fields_text = {found->fields, text.position};
    }
    std::vector<Span> fields;
    Scanner scanner(fields_text);
    while (!scanner.at_end()) {
        const auto begin = scanner.position() - fields_text.position;
        while (!scanner.at_end() && !is_blank(scanner.peek())) scanner.take(scanner.peek());
        fields.push_back(fields_text.sub(begin, scanner.position() - fields_text.position - begin));
        scanner.skip_blanks();
    }
    if (fields.size() != cron_facts.size()) return wrong_field_count(fields_text, fields);
    return parse_fields(fields);
}

}  // namespace pgbakd::calendar
