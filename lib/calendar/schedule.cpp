#include "calendar/schedule.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

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

// A whole schedule that may have been meant by a text whose first word begins none; or nothing.
std::optional<std::string> meant_by(Span text, std::string_view word, const std::optional<std::string>& nearest) {
    const auto behind_word = text.text.substr(word.size());
    const auto lower = base::to_lower(word);
    // A calendar event or a weekday without the words in front of it.
    if (auto event = event_meant(text.text)) return event;
    std::vector<std::string> readings = {fmt::format("weekly on {}", text.text)};
    if (lower == "weekends" || lower == "weekend")
        readings.push_back(fmt::format("weekly on saturday, sunday{}", behind_word));
    else if (nearest)
        readings.push_back(fmt::format("{}{}", *nearest, behind_word));
    for (const auto& reading : readings)
        if (Schedule::parse(reading)) return reading;
    return std::nullopt;
}

base::Error unknown_form(Span text) {
    const auto word = Scanner(text).word();
    const std::vector<std::string> words = {"daily",  "weekdays", "twice-daily", "weekly",    "monthly",
                                            "yearly", "hourly",   "every",       "milestone", "calendar"};
    auto nearest = base::closest(word.text, words);
    // With something in front it is another word, not a slip: biweekly is not weekly.
    if (nearest && base::to_lower(word.text).ends_with(*nearest)) nearest.reset();
    const auto meant = meant_by(text, word.text, nearest);
    const auto behind = std::string(text.text.substr(word.text.size()));
    std::string hint = "say daily at 02:00, weekly on sunday at 02:00, every 6 hours or 0 2 * * *, for example";
    const auto lower = base::to_lower(word.text);
    if (lower == "never" || lower == "none" || lower == "off" || lower == "manual" || lower == "disabled")
        hint = "remove the job if it is not to run; say \"milestone\" for one that runs by name only";
    else if (meant)
        hint = fmt::format("did you mean \"{}\"?", *meant);
    else if (const auto fix = human_fix(text.text))
        hint = *fix;
    else if (const auto mended = nearest ? human_fix(*nearest + behind) : std::nullopt)
        hint = *mended;
    else if (lower.starts_with("weekend"))
        hint = "say \"weekly on saturday, sunday at 02:00\", for example";
    else if (nearest)
        hint = fmt::format("say \"{}\", for example", example_of(*nearest));
    return problem(text.position, fmt::format("\"{}\"", word.text), "not the beginning of a schedule", hint);
}

// Cron; or what begins with a digit as well: "02:00 daily".
base::Result<ParsedSchedule> parse_digits_first(Span text) {
    auto parsed = parse_cron_form(text);
    if (parsed || event_meant(text.text)) return parsed;
    const auto fix = human_fix(text.text);
    if (!fix) return parsed;
    return base::Error(parsed.error().code(), parsed.error().message(), base::printable(*fix));
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
    if (text.text.front() == '@' || !base::is_letter(text.text.front())) return parse_digits_first(text);
    return unknown_form(text);
}

std::vector<std::string> warnings_of(std::string_view canonical) {
    const auto parsed = parse_any_form({canonical, 0});
    return parsed ? parsed->warnings : std::vector<std::string>{};
}

}  // namespace

void warn_of_short_months(std::vector<std::string>& warnings, Bits days, Bits months, std::string_view last_day) {
    if (days == 0) return;
    const int day = std::countr_zero(days);
    const auto is_short = [day](int month) { return longest_months[static_cast<std::size_t>(month)] < day; };
    int selected = 0, lacking = 0;
    for (int month = 1; month <= 12; ++month)
        if (has_bit(months, month)) ++selected, lacking += is_short(month) ? 1 : 0;
    constexpr int february = 2;
    if (day == 29 && months == Bits{1} << february)
        warnings.emplace_back("29 February comes in leap years only: it is not due in the others");
    else if (day == 29 && has_bit(months, february))
        warnings.push_back(fmt::format(
            "February has a day 29 in leap years only: it is not due in the others; say {} for the last day",
            last_day));
    // If all of them lack it, it never fires: an error, not a warning.
    else if (lacking > 0 && lacking < selected)
        warnings.push_back(
            fmt::format("some months have no day {}: it is not due in them; say {} for the last day", day, last_day));
}

// As little as an answer needs: a hundred thousand jobs have one each.
struct Schedule::Data {
    std::optional<Pattern> pattern;
    std::string canonical;
    std::unique_ptr<const std::vector<std::string>> warnings;  // null: those of the canonical text
    ScheduleKind kind;
    std::uint16_t own_zone_bytes;  // at the end of `canonical`
};

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
    parsed->canonical.shrink_to_fit();
    std::unique_ptr<const std::vector<std::string>> warnings;
    // A list may be written as a step, which alone brings warnings.
    const bool may_warn = !parsed->warnings.empty() || parsed->canonical.find('/') != std::string::npos;
    if (may_warn && parsed->warnings != warnings_of(parsed->canonical))
        warnings = std::make_unique<const std::vector<std::string>>(std::move(parsed->warnings));
    return Schedule(
        std::make_shared<const Data>(Data{.pattern = std::move(parsed->pattern),
                                          .canonical = std::move(parsed->canonical),
                                          .warnings = std::move(warnings),
                                          .kind = parsed->kind,
                                          .own_zone_bytes = static_cast<std::uint16_t>(parsed->own_zone.size())}));
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

std::string_view Schedule::own_zone() const noexcept {
    const std::string_view text = data_->canonical;
    return text.substr(text.size() - data_->own_zone_bytes);
}

std::vector<std::string> Schedule::warnings() const {
    // Nearly always read again for those who ask, once and while a person waits, instead of kept for each job and for
    // good. But "*/45" surprises, and "0,45", which is the same, does not.
    return data_->warnings ? *data_->warnings : warnings_of(data_->canonical);
}

bool Schedule::is_periodic() const noexcept {
    return data_->pattern && data_->pattern->is_periodic();
}

bool Schedule::never_fires(const Zone& zone) const {
    return data_->pattern && !next_ever(Instant::min(), zone);
}

std::optional<Instant> Schedule::next_ever(Instant after, const Zone& zone) const {
    if (!data_->pattern) return std::nullopt;
    // Dates and weekdays repeat every 400 years, and every rare date comes at least once in 40: a search from the first
    // possible year on, a little wider than the century of one next(), finds a fire if there is one.
    constexpr std::chrono::days step{99 * 365};
    const int first_year = data_->pattern->years.first_from(YearSet::lowest).value_or(YearSet::highest);
    const Instant first{std::chrono::sys_days{std::chrono::year{first_year} / 1 / 1} - std::chrono::days{2}};
    const Instant end{std::chrono::sys_days{std::chrono::year{YearSet::highest + 1} / 1 / 2}};
    for (auto begin = std::max(after, first);; begin += step) {
        if (const auto fire = next_fire(*data_->pattern, begin, zone)) return fire;
        if (begin >= end) return std::nullopt;
    }
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

std::optional<std::chrono::seconds> Schedule::shortest_gap() const {
    if (!data_->pattern) return std::nullopt;
    return shortest_local_gap(*data_->pattern);
}

std::size_t own_zone_column(std::string_view text) {
    const auto blank = base::trim(text).find_last_of(" \t\r\n");
    const auto begin = static_cast<std::size_t>(base::trim(text).data() - text.data());
    return blank == std::string_view::npos ? begin + 1 : begin + blank + 2;
}

}  // namespace pgbakd::calendar
