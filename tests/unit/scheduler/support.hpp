// Planner tests are tables: times as texts in, actions as texts out.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/units.hpp"
#include "scheduler/planner.hpp"
#include "support/common.hpp"

namespace pgbakd::scheduler::test {

using Texts = std::vector<std::string>;

// "2026-03-01 02:00" or "2026-03-01 02:00:30", in UTC.
inline base::Instant at(std::string_view text) {
    std::string rfc3339(text);
    rfc3339[10] = 'T';
    if (rfc3339.size() == 16) rfc3339 += ":00";
    return calendar::parse_rfc3339(rfc3339 + "Z").value();
}
inline std::string show(base::Instant instant) {
    auto text = calendar::format_for_people(instant, *calendar::Zone::utc());
    return text.substr(0, text.size() - std::string_view(" UTC").size());
}
inline std::string show(std::optional<base::Instant> instant) {
    return instant ? show(*instant) : "never";
}

// A zone with the rules of a POSIX TZ text and nothing else: the smallest TZif file there is.
inline calendar::ZonePtr zone_of(const std::string& name, const std::string& rules) {
    const std::string header = std::string("TZif2") + std::string(15 + 16, '\0') + std::string("\0\0\0\1\0\0\0\4", 8);
    const std::string block = header + std::string(6, '\0') + std::string("UTC\0", 4);
    const auto file = block + block + "\n" + rules + "\n";
    return calendar::Zone::parse(name, std::as_bytes(std::span(file))).value();
}
inline calendar::ZonePtr berlin() {
    return zone_of("Europe/Berlin", "CET-1CEST,M3.5.0,M10.5.0/3");
}

inline model::CatchUp policy(std::string_view text) {
    using enum model::CatchUp::Policy;
    if (text == "skip") return {skip, {}};
    if (text == "all") return {all, {}};
    if (text == "once") return {once, {}};
    return {once, base::parse_duration(text.substr(std::string_view("once within ").size())).value()};
}

struct JobOptions {
    std::string_view catch_up = "once";
    model::Overlap overlap = model::Overlap::skip;
    std::chrono::seconds offset{0};
    calendar::ZonePtr zone = calendar::Zone::utc();
};
inline PlannedJob job(std::string name, std::string_view schedule, const JobOptions& options = {}) {
    return {std::move(name), calendar::Schedule::parse(schedule).value(),
            options.zone,    policy(options.catch_up),
            options.overlap, options.offset};
}
// How the catalog has the schedule of `job`, all settled up to `anchor`.
inline catalog::JobState stored(const PlannedJob& job, std::string_view anchor, bool paused = false) {
    return {job.name, calendar::schedule_key(job.schedule, *job.zone), at(anchor), paused};
}

struct Describe {
    std::string operator()(const Start& start) const {
        return "start " + start.job + " " + show(start.slot) + (start.catch_up ? " catch-up" : "") +
               (start.repeated ? " again" : "");
    }
    std::string operator()(const Skip& skip) const {
        return "skip " + skip.job + " " + show(skip.slot) +
               (skip.milestone.empty() ? "" : " (" + skip.milestone + ")") + ": " +
               std::string(reason_text(skip.reason));
    }
    std::string operator()(const Missed& missed) const {
        return "missed " + missed.job + " " + std::to_string(missed.count) + (missed.more ? " or more" : "") +
               " until " + show(missed.latest);
    }
    std::string operator()(const Anchor& anchor) const {
        return "anchor " + anchor.state.job + " " + show(anchor.state.anchor) + ": " + anchor.why;
    }
    std::string operator()(const Forget& forget) const { return "forget " + forget.job; }
    std::string operator()(const Moved& moved) const {
        return "moved " + moved.job + " from " + show(moved.from) + " to " + show(moved.to);
    }
    std::string operator()(const Warning& warning) const { return "warning: " + warning.message; }
};
inline Texts texts(const std::vector<Action>& actions) {
    Texts result;
    for (const auto& action : actions) result.push_back(std::visit(Describe{}, action));
    return result;
}

// A planner with texts for times.
class Table {
  public:
    explicit Table(std::string_view earliest_believable = "2026-01-01 00:00") : planner(at(earliest_believable)) {}
    Texts load(std::vector<PlannedJob> jobs, std::string_view now, const std::vector<catalog::JobState>& states = {}) {
        return texts(planner.load(std::move(jobs), states, at(now)));
    }
    Texts tick(std::string_view now) { return texts(planner.on_time(at(now))); }
    Texts finished(std::string_view name, std::string_view now) { return texts(planner.on_finished(name, at(now))); }
    // Ticks whenever the planner wants to be woken, until `until`; runs end at once.
    Texts run_until(std::string_view until) {
        Texts all;
        for (;;) {
            const auto wake = planner.next_wake();
            if (!wake || *wake > at(until)) return all;
            auto actions = planner.on_time(*wake);
            for (std::size_t i = 0; i < actions.size(); ++i) {
                all.push_back(std::visit(Describe{}, actions[i]));
                if (!std::holds_alternative<Start>(actions[i])) continue;
                const auto more = planner.on_finished(std::get<Start>(actions[i]).job, *wake);
                actions.insert(actions.end(), more.begin(), more.end());
            }
        }
    }
    [[nodiscard]] std::string next(std::string_view name) const {
        const auto fire = planner.next_fire(name);
        return fire ? show(fire->slot) : "never";
    }

    Planner planner;
};

}  // namespace pgbakd::scheduler::test
