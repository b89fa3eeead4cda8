#include "calendar/schedule.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "calendar/fires.hpp"
#include "calendar/forms.hpp"

namespace pgbakd::calendar {
namespace {

using base::Instant;

base::Error too_long(std::size_t position, const std::string& what) {
    return problem(position, what, fmt::format("at most {} are allowed", Schedule::max_text_bytes),
                   "say a range or a step instead of a list");
}

base::Error unknown_form(Span text) {
    const auto word = Scanner(text).word();
    // A calendar event without the word in front of it.
    if (parse_calendar_form(text))
        return problem(text.position, fmt::format("\"{}\"", word.text), "not the beginning of a schedule",
                       fmt::format("did you mean \"calendar {}\"?", text.text));
    const std::vector<std::string> words = {"daily",  "weekdays", "twice-daily", "weekly",    "monthly",
                                            "yearly", "hourly",   "every",       "milestone", "calendar"};
    const auto nearest = base::closest(word.text, words);
    return problem(text.position, fmt::format("\"{}\"", word.text), "not the beginning of a schedule",
                   nearest ? fmt::format("did you mean \"{}\"?", *nearest)
                           : "say daily at 02:00, weekly on sunday at 02:00, every 6 hours or 0 2 * * *, for example");
}

base::Result<ParsedSchedule> parse_any_form(Span text) {
    if (text.text.empty())
        return problem(text.position, "no schedule", "", "say daily at 02:00 or 0 2 * * *, for example");
    if (is_human_form(text.text)) return parse_human_form(text);
    const auto word = Scanner(text).word().text;
    if (base::to_lower(word) == "calendar") {
        const auto begin = std::min(text.text.find_first_not_of(' ', word.size()), text.text.size());
        return parse_calendar_form(text.sub(begin));
    }
    if (text.text.front() == '@' || !base::is_letter(text.text.front())) return parse_cron_form(text);
    return unknown_form(text);
}

}  // namespace

struct Schedule::Data : ParsedSchedule {};

Schedule::Schedule(std::shared_ptr<const Data> data) : data_(std::move(data)) {}

base::Result<Schedule> Schedule::parse(std::string_view text) {
    if (text.size() > max_text_bytes)
        return too_long(max_text_bytes, fmt::format("a schedule of {} bytes", text.size()));
    // Tabs and line ends are blanks; columns stay what they are.
    std::string blanked(text);
    std::replace_if(
        blanked.begin(), blanked.end(), [](char c) { return c == '\t' || c == '\n' || c == '\r'; }, ' ');
    const auto trimmed = base::trim(blanked);
    const auto position = trimmed.empty() ? 0 : static_cast<std::size_t>(trimmed.data() - blanked.data());
    auto parsed = parse_any_form({trimmed, position});
    if (!parsed) return parsed.error();
    // A list of years written with two digits grows: what is printed must be what can be read again.
    if (parsed->canonical.size() > max_text_bytes)
        return too_long(text.size(), fmt::format("a schedule that written out has {} bytes", parsed->canonical.size()));
    return Schedule(std::make_shared<const Data>(Data{*std::move(parsed)}));
}

ScheduleKind Schedule::kind() const noexcept {
    return data_->kind;
}

bool Schedule::is_timed() const noexcept {
    return data_->pattern.has_value();
}

const std::string& Schedule::canonical() const noexcept {
    return data_->canonical;
}

const std::string& Schedule::own_zone() const noexcept {
    return data_->own_zone;
}

std::vector<std::string> Schedule::warnings() const {
    return data_->warnings;
}

bool Schedule::is_periodic() const noexcept {
    return data_->pattern && data_->pattern->is_periodic();
}

bool Schedule::never_fires(const Zone& zone) const {
    if (!data_->pattern) return false;
    // Dates and weekdays repeat every 400 years, and every rare date comes at least once in 40: a search from the first
    // possible year on, a little wider than the century of one next(), finds a fire if there is one.
    const int first_year = data_->pattern->years.first_from(YearSet::lowest).value_or(YearSet::highest);
    for (int year = first_year; year <= YearSet::highest; year += 99) {
        const Instant begin{std::chrono::sys_days{std::chrono::year{year} / 1 / 1} - std::chrono::days{2}};
        if (next_fire(*data_->pattern, begin, zone)) return false;
    }
    return true;
}

std::optional<Instant> Schedule::next(Instant after, const Zone& zone) const {
    if (!data_->pattern) return std::nullopt;
    return next_fire(*data_->pattern, after, zone);
}

std::optional<Instant> Schedule::latest(Instant after, Instant until, const Zone& zone) const {
    if (!data_->pattern) return std::nullopt;
    return latest_fire(*data_->pattern, after, until, zone);
}

std::optional<Schedule::Gaps> Schedule::gaps(Instant from, const Zone& zone) const {
    if (!data_->pattern) return std::nullopt;
    const auto gaps = fire_gaps(*data_->pattern, from, zone);
    if (!gaps) return std::nullopt;
    return Gaps{gaps->shortest, gaps->longest};
}

}  // namespace pgbakd::calendar
