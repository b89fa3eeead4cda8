#include "admin/fires.hpp"

#include <fmt/format.h>

#include "base/units.hpp"
#include "host/identity.hpp"
#include "model/json.hpp"
#include "scheduler/jitter.hpp"

namespace pgbakd::admin {

namespace {

// Calls `next` for one fire after the other.
template <class Next>
std::vector<base::Instant> list_fires(const FireRequest& request, Next next) {
    std::vector<base::Instant> fires;
    auto last = request.after;
    while (fires.size() < static_cast<std::size_t>(request.count)) {
        const auto fire = next(last);
        if (!fire) break;
        fires.push_back(*fire);
        last = *fire;
    }
    return fires;
}

}  // namespace

JobFires fires_of(std::string job, const calendar::Schedule& schedule, calendar::ZonePtr zone,
                  const FireRequest& request) {
    JobFires result{std::move(job), schedule, std::move(zone), {}, {}, {}, {}};
    result.fires = list_fires(request, [&](base::Instant after) { return schedule.next(after, *result.zone); });
    if (result.fires.empty()) result.beyond = schedule.next_ever(request.after, *result.zone);
    return result;
}

JobFires fires_of(const model::JobSpec& job, const FireRequest& request) {
    auto result = fires_of(job.name, job.schedule, job.zone, request);
    if (!job.milestones.empty()) {
        result.milestones = job.milestones;
        result.fires = list_fires(
            request, [&job](base::Instant after) { return model::next_milestone(job.milestones, after, *job.zone); });
    }
    if (job.jitter > std::chrono::milliseconds{0})
        result.jitter = scheduler::jitter_offset(host::host_name(), job.name, job.jitter);
    return result;
}

std::string summary_of(const JobFires& fires) {
    const auto& schedule = fires.schedule;
    switch (schedule.kind()) {
        case calendar::ScheduleKind::on_change: return schedule.canonical() + ": when its files change";
        case calendar::ScheduleKind::milestone:
            if (fires.milestones.empty()) return schedule.canonical() + ": by name, on request";
            break;
        case calendar::ScheduleKind::recurring:
        case calendar::ScheduleKind::once: break;
    }
    auto text = fmt::format("{} ({})", schedule.canonical(), fires.zone->name());
    if (schedule.never_fires(*fires.zone)) return text + ": never fires";
    if (fires.beyond)
        return fmt::format("{}: no fire in the next 100 years, the first after them is {}", text,
                           calendar::format_for_people(*fires.beyond, *fires.zone));
    if (fires.fires.empty())
        return text + (schedule.is_timed() ? ": no fire to come" : ": by name, on request; no date is to come");
    if (fires.jitter.count() > 0)
        text += fmt::format(", runs start {} later (jitter)", base::format_duration(fires.jitter));
    return text;
}

std::string distance_text(base::Instant now, base::Instant then) {
    const auto distance = std::chrono::abs(then - now);
    if (distance.count() == 0) return "now";
    // Seconds say nothing about something hours away.
    const auto shown = distance < std::chrono::hours(1) ? distance : std::chrono::floor<std::chrono::minutes>(distance);
    const auto text =
        shown < std::chrono::minutes(1) ? fmt::format("{} s", shown.count()) : base::format_duration(shown);
    return then >= now ? "in " + text : text + " ago";
}

boost::json::object json_fires(const JobFires& fires) {
    boost::json::array list;
    list.reserve(fires.fires.size());
    for (const auto fire : fires.fires)
        list.push_back(
            {{"utc", calendar::format_rfc3339_utc(fire)}, {"local", calendar::format_rfc3339(fire, *fires.zone)}});
    return {
        {"job", model::json_text(fires.job)},
        {"schedule", model::json_text(fires.schedule.canonical())},
        {"timezone", model::json_text(fires.zone->name())},
        {"never", fires.schedule.kind() != calendar::ScheduleKind::on_change && fires.fires.empty() && !fires.beyond},
        {"fires", std::move(list)}};
}

}  // namespace pgbakd::admin
