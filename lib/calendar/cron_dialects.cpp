// Cron of more or fewer fields than five, as other programs have it: what was meant.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "calendar/cron_form.hpp"
#include "calendar/value_list.hpp"

namespace pgbakd::calendar {
namespace {

constexpr std::string_view example = "say \"0 2 * * *\" for each day at 02:00, for example";

std::string_view number_word(std::size_t number) {
    constexpr std::array<std::string_view, 10> words = {"no",   "one", "two",   "three", "four",
                                                        "five", "six", "seven", "eight", "nine"};
    return number < words.size() ? words[number] : "ten or more";
}

// "0/15", which elsewhere goes on to the end of the field, in our words; any other entry as it is.
std::string with_range(std::string_view entry, const CronFacts& fact) {
    const auto slash = std::min(entry.find('/'), entry.size());
    const auto first = parse_number(entry.substr(0, slash));
    const auto step = slash < entry.size() ? parse_number(entry.substr(slash + 1)) : std::nullopt;
    if (!first || !step || *step < 1 || *first < fact.lowest || *first > fact.highest) return std::string(entry);
    // Sunday once.
    const bool is_weekday = fact.highest == 7;
    const int from = is_weekday ? *first % 7 : *first;
    return from == fact.lowest ? fmt::format("*/{}", *step)
                               : print_range(from, is_weekday ? 6 : fact.highest, *step, "-");
}

// Five fields as one text, in our words for what other dialects have.
std::string joined(std::span<const Span> fields) {
    std::vector<std::string> texts;
    texts.reserve(fields.size());
    for (std::size_t i = 0; i < fields.size(); ++i) {
        auto entries = base::split(fields[i].text == "?" ? std::string_view("*") : fields[i].text, ',');
        std::vector<std::string> mended;
        mended.reserve(entries.size());
        for (const auto& entry : entries) mended.push_back(with_range(entry, cron_facts[i]));
        texts.push_back(base::join(mended, ","));
    }
    return base::join(texts, " ");
}

bool is_year(std::string_view text) {
    return text == "*" || (text.size() >= 4 && parse_number(text.substr(0, 4)));
}

// A weekday by its number: in the dialects that have "?", and in those of seven fields, 1 is sunday.
bool has_weekday_number(std::string_view field) {
    for (std::size_t i = 0; i < field.size(); ++i)
        if (base::is_digit(field[i]) && (i == 0 || (field[i - 1] != '#' && field[i - 1] != '/'))) return true;
    return false;
}

// Seconds in front and a year behind: Quartz. No crontab has "?", and no user is called "mon-fri".
bool is_quartz(std::span<const Span> fields) {
    const auto times = fields.first(5);
    const bool has_question =
        std::any_of(times.begin(), times.end(), [](const auto& field) { return field.text == "?"; });
    return has_question || (fields.size() == 7 && is_year(fields[6].text) &&
                            Schedule::parse(fmt::format("0 0 * * {}", fields[5].text)));
}

// Five fields, and what a crontab has behind them: a comment, a user, a command; or a zone, which no crontab has.
std::optional<std::string> hint_for_tail(std::span<const Span> fields) {
    const auto first_five = joined(fields.first(5));
    if (!Schedule::parse(first_five)) return std::nullopt;
    const auto& next = fields[5].text;
    if (fields.size() == 6 && looks_like_zone(next)) return put_zone_apart(first_five, next);
    if (next.starts_with('#')) return fmt::format("say \"{}\": a comment belongs behind the value", first_five);
    if (next.find('/') == 0 || (fields.size() > 6 && base::is_letter(next.front()) && !is_quartz(fields)))
        return fmt::format("say \"{}\": a crontab's user and command do not belong here", first_five);
    return std::nullopt;
}

// Seconds in front (Quartz, Spring), a year behind (Quartz, AWS), or a user (/etc/crontab).
std::string hint_for_many(std::span<const Span> fields) {
    const auto is_question = [fields](std::size_t i) { return i < fields.size() && fields[i].text == "?"; };
    // "?" stands for one of the two days: where it is tells where they are.
    const bool days_late = is_question(3) || is_question(5), days_early = is_question(2) || is_question(4);
    const bool has_seven = fields.size() == 7;
    if (fields.size() > 7 || (has_seven && (days_early || !is_year(fields[6].text)))) return std::string(example);
    if ((days_late || days_early || has_seven) && has_weekday_number(fields[days_early ? 4 : 5].text))
        return "write five fields, and the weekday by its name, as in \"0 2 * * mon\": elsewhere 1 is sunday";
    const auto without_first = joined(fields.subspan(1, 5)), without_last = joined(fields.first(5));
    const bool first_fits = !days_early && Schedule::parse(without_first);
    const bool last_fits = !days_late && !has_seven && Schedule::parse(without_last);
    if (first_fits && last_fits && without_first != without_last)
        return fmt::format("did you mean \"{}\" (without the first field) or \"{}\" (without the last)?", without_first,
                           without_last);
    const auto& last = fields.back().text;
    const bool drops_year = last != "*" && is_year(last) && (has_seven || (last_fits && !first_fits));
    if (first_fits || last_fits)
        return fmt::format("did you mean \"{}\"?{}", first_fits ? without_first : without_last,
                           drops_year ? " cron has no years: that is due in each" : "");
    return std::string(example);
}

}  // namespace

// Five fields read as six, or six as five, turned daily backups into hourly ones elsewhere.
base::Error wrong_field_count(Span text, std::span<const Span> fields) {
    const auto count = fields.size();
    const auto what = fmt::format("{} field{}", number_word(count), count == 1 ? "" : "s");
    const auto why = fmt::format("cron takes five ({})", cron_field_order);
    if (count > cron_facts.size())
        return problem(fields[5].position, what, why, hint_for_tail(fields).value_or(hint_for_many(fields)));
    const auto event = text.text.find(':') == std::string_view::npos ? std::nullopt : event_meant(text.text);
    if (event) return problem(text.end(), what, why, fmt::format("did you mean \"{}\"?", *event));
    return problem(text.end(), what, why, example);
}

}  // namespace pgbakd::calendar
