#include "model/milestone.hpp"

#include <algorithm>
#include <chrono>

#include "base/text.hpp"

namespace pgbakd::model {
namespace {

constexpr std::string_view once_at = "once at ";
constexpr std::string_view between_dates = ", ";

}  // namespace

base::Result<calendar::Schedule> parse_milestone_date(std::string_view text) {
    auto parsed = calendar::Schedule::parse(std::string(once_at) + std::string(text));
    if (parsed && parsed->kind() == calendar::ScheduleKind::once) return parsed;
    // The columns and the fix are those of the whole schedule, which nobody wrote.
    std::string why;
    if (!parsed)
        if (const auto colon = parsed.error().message().rfind(": "); colon != std::string::npos)
            why = parsed.error().message().substr(colon);
    return base::Error(base::ErrorCode::invalid_argument, "\"" + base::printable(text) + "\" is no date and time" + why,
                       "write the local time of the job's zone, as in 2026-12-01 02:00");
}

std::string_view milestone_date(const Milestone& milestone) {
    return std::string_view(milestone.at.canonical()).substr(once_at.size());
}

std::optional<base::Instant> next_milestone(const std::vector<Milestone>& milestones, base::Instant after,
                                            const calendar::Zone& zone) {
    std::optional<base::Instant> first;
    for (const auto& milestone : milestones)
        if (const auto fire = milestone.at.next(after, zone); fire && (!first || *fire < *first)) first = fire;
    return first;
}

std::optional<base::Instant> latest_milestone(const std::vector<Milestone>& milestones, base::Instant after,
                                              base::Instant until, const calendar::Zone& zone) {
    std::optional<base::Instant> last;
    for (const auto& milestone : milestones)
        if (const auto fire = milestone.at.latest(after, until, zone); fire && (!last || *fire > *last)) last = fire;
    return last;
}

std::string milestone_name(const std::vector<Milestone>& milestones, base::Instant slot, const calendar::Zone& zone) {
    std::string name;
    auto nearest = std::chrono::seconds::max();
    for (const auto& milestone : milestones) {
        const auto fire = milestone.at.next_ever(base::Instant::min(), zone);
        if (!fire) continue;
        const auto distance = std::chrono::abs(*fire - slot);
        if (distance >= nearest) continue;
        nearest = distance;
        name = milestone.name;
    }
    return name;
}

std::string timetable_key(const calendar::Schedule& schedule, const calendar::Zone& zone,
                          const std::vector<Milestone>& milestones) {
    auto key = calendar::schedule_key(schedule, zone);
    std::vector<std::string_view> dates;
    dates.reserve(milestones.size());
    for (const auto& milestone : milestones) dates.push_back(milestone_date(milestone));
    std::sort(dates.begin(), dates.end());
    for (std::size_t i = 0; i < dates.size(); ++i)
        key += std::string(i == 0 ? " " : between_dates) + std::string(dates[i]);
    return key;
}

std::optional<Timetable> read_timetable_key(std::string_view key) {
    const auto open = key.find(" [");
    const auto close = key.find(']', open);
    if (open == std::string_view::npos || close == std::string_view::npos) return std::nullopt;
    auto schedule = calendar::Schedule::parse(key.substr(0, open));
    if (!schedule) return std::nullopt;
    Timetable result{*std::move(schedule), std::string(key.substr(open + 2, close - open - 2)), {}};
    auto dates = key.substr(close + 1);
    if (dates.empty()) return result;
    if (!dates.starts_with(' ')) return std::nullopt;
    dates.remove_prefix(1);
    while (!dates.empty()) {
        const auto end = std::min(dates.find(between_dates), dates.size());
        auto date = parse_milestone_date(dates.substr(0, end));
        if (!date) return std::nullopt;
        result.milestones.push_back({{}, *std::move(date)});
        dates.remove_prefix(std::min(end + between_dates.size(), dates.size()));
    }
    return result;
}

}  // namespace pgbakd::model
