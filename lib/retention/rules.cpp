#include "retention/rules.hpp"

#include <fmt/format.h>

#include <chrono>

#include "base/text.hpp"

namespace pgbakd::retention {
namespace {

using std::chrono::days;
using std::chrono::local_days;

local_days local_day(base::Timestamp time, const calendar::Zone& zone) {
    return std::chrono::floor<days>(zone.local(base::to_instant(time)).time);
}

std::string day_of(local_days day) {
    const std::chrono::year_month_day date(day);
    return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                       static_cast<unsigned>(date.day()));
}

// ISO 8601: weeks begin on Monday and belong to the year that has their Thursday.
std::string week_of(local_days day) {
    const auto weekday = std::chrono::weekday(day).iso_encoding();
    const auto thursday = day + days(4) - days(weekday);
    const auto year = std::chrono::year_month_day(thursday).year();
    const auto first = local_days(year / std::chrono::January / 1);
    return fmt::format("{:04}-W{:02}", static_cast<int>(year), (thursday - first).count() / 7 + 1);
}

std::string month_of(local_days day) {
    return day_of(day).substr(0, 7);
}

std::string year_of(local_days day) {
    return day_of(day).substr(0, 4);
}

void keep_newest(std::vector<Judged*>& good, int number) {
    for (std::size_t i = 0; i < good.size() && static_cast<int>(i) < number; ++i)
        good[i]->reasons.push_back(number == 1 ? "the newest (last: 1)"
                                               : fmt::format("one of the {0} newest (last: {0})", number));
}

// 32-bit counts and 64-bit seconds: no product overflows, and a limit before all sets keeps all.
void keep_younger(std::vector<Judged*>& good, int number, std::chrono::seconds unit, const char* noun,
                  base::Timestamp now) {
    const auto limit = base::to_instant(now) - number * unit;
    for (auto* set : good)
        if (number > 0 && base::to_instant(set->candidate->started_at) >= limit)
            set->reasons.push_back("newer than " + counted(number, noun));
}

void keep_periods(std::vector<Judged*>& good, int number, const char* rule, std::string (*period_of)(local_days),
                  const calendar::Zone& zone) {
    std::string last;
    for (auto* set : good) {
        if (number <= 0) return;
        auto period = period_of(local_day(set->candidate->started_at, zone));
        if (period == last) continue;
        set->reasons.push_back(fmt::format("newest of {} ({})", period, rule));
        last = std::move(period);
        --number;
    }
}

}  // namespace

std::string counted(int number, const char* noun) {
    return fmt::format("{} {}{}", number, noun, number == 1 ? "" : "s");
}

void apply_rules(std::vector<Judged*>& good, const model::RetentionPolicy& policy, base::Timestamp now,
                 const calendar::Zone& zone) {
    using std::chrono::hours;
    if (policy.days) keep_younger(good, *policy.days, hours(24), "day", now);
    if (policy.weeks) keep_younger(good, *policy.weeks, hours(24 * 7), "week", now);
    if (policy.last) keep_newest(good, *policy.last);
    const auto periods = [&](const std::optional<int>& number, const char* name, std::string (*period_of)(local_days)) {
        if (number) keep_periods(good, *number, fmt::format("{}: {}", name, *number).c_str(), period_of, zone);
    };
    periods(policy.daily, "daily", day_of);
    periods(policy.weekly, "weekly", week_of);
    periods(policy.monthly, "monthly", month_of);
    periods(policy.yearly, "yearly", year_of);
}

std::string why_no_rule_keeps(const model::RetentionPolicy& policy) {
    std::vector<std::string> facts;
    if (policy.days) facts.push_back("older than " + counted(*policy.days, "day"));
    if (policy.weeks) facts.push_back("older than " + counted(*policy.weeks, "week"));
    if (policy.last) facts.push_back(fmt::format("not among the {} newest", *policy.last));
    const auto period = [&facts](const std::optional<int>& number, const char* rule, const char* noun) {
        if (number) facts.push_back(fmt::format("not the newest of a {} that is kept ({}: {})", noun, rule, *number));
    };
    period(policy.daily, "daily", "day");
    period(policy.weekly, "weekly", "week");
    period(policy.monthly, "monthly", "month");
    period(policy.yearly, "yearly", "year");
    return base::join(facts, ", ");
}

}  // namespace pgbakd::retention
