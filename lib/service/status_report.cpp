#include "service/status_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <tuple>

#include "base/units.hpp"
#include "model/json.hpp"

namespace pgbakd::service {
namespace {

constexpr std::size_t upcoming_shown = 20;
constexpr double longest_told = 365.0 * 24 * 3600;  // seconds: what stands still has no expected end

double seconds_between(base::SteadyTime from, base::SteadyTime to) {
    return std::chrono::duration<double>(to - from).count();
}

// Bytes per second written since the dump began; 0 while nothing can be said.
double rate(const ActiveRun& run, base::SteadyTime now) {
    if (run.progress->dump_started == base::SteadyTime{}) return 0;
    const auto elapsed = seconds_between(run.progress->dump_started, now);
    return elapsed > 0.5 ? static_cast<double>(run.progress->bytes) / elapsed : 0;
}

// By what the server said there is to read, else by the size of the last set.
std::optional<std::chrono::milliseconds> remaining(const ActiveRun& run, base::SteadyTime now) {
    const auto& progress = *run.progress;
    if (progress.expected_raw_bytes > 0 && progress.raw_bytes > 0) {
        const auto elapsed = seconds_between(progress.dump_started, now);
        if (progress.expected_raw_bytes <= progress.raw_bytes) return std::nullopt;
        const auto part = static_cast<double>(progress.expected_raw_bytes) / static_cast<double>(progress.raw_bytes);
        const auto left = elapsed * (part - 1);
        if (elapsed <= 0.5 || left > longest_told) return std::nullopt;
        return std::chrono::milliseconds(static_cast<std::int64_t>(left * 1000));
    }
    const auto speed = rate(run, now);
    if (speed <= 0 || progress.expected_bytes <= progress.bytes) return std::nullopt;
    const auto left = static_cast<double>(progress.expected_bytes - progress.bytes) / speed;
    if (left > longest_told) return std::nullopt;
    return std::chrono::milliseconds(static_cast<std::int64_t>(left * 1000));
}

boost::json::value zone_time(base::Instant at, const calendar::Zone& zone) {
    return boost::json::string(calendar::format_rfc3339(at, zone));
}

// Bytes per second of an upload, without what the target had from before; 0 while nothing can be said.
double rate(const target::Meter::Sending& sending, base::Timestamp now) {
    const auto elapsed = std::chrono::duration<double>(now - sending.started).count();
    const auto fresh = sending.bytes - std::min(sending.bytes, sending.begun_at);
    return elapsed > 0.5 ? static_cast<double>(fresh) / elapsed : 0;
}

std::optional<base::Timestamp> expected_end(const target::Meter::Sending& sending, base::Timestamp now) {
    const auto speed = rate(sending, now);
    if (speed <= 0 || !sending.of || *sending.of < sending.bytes) return std::nullopt;
    const auto left = static_cast<double>(*sending.of - sending.bytes) / speed;
    if (left > longest_told) return std::nullopt;
    return now + std::chrono::milliseconds(static_cast<std::int64_t>(left * 1000));
}

// When the last of the job's files that are on their way should be there.
std::optional<base::Timestamp> uploads_end(const StatusInput& input, const std::string& job) {
    std::optional<base::Timestamp> last;
    for (const auto& [target, meter] : input.meters)
        for (const auto& [number, sending] : meter->sending)
            if (sending.key.starts_with(job + "/"))
                if (const auto end = expected_end(sending, input.time)) last = std::max(last.value_or(*end), *end);
    return last;
}

// For how long the target has taken nothing of what it was offered.
std::uint64_t idle_seconds(const target::Meter::Sending& sending, base::Timestamp now) {
    if (!sending.offered || *sending.offered > now) return 0;
    return static_cast<std::uint64_t>(std::chrono::floor<std::chrono::seconds>(now - *sending.offered).count());
}

// What is on its way to targets: bytes and rate of each upload, and when it should be there.
boost::json::array uploads_json(const StatusInput& input) {
    boost::json::array list;
    for (const auto& [target, meter] : input.meters) {
        for (const auto& [number, sending] : meter->sending) {
            const auto end = expected_end(sending, input.time);
            list.push_back({{"target", target},
                            {"object", model::json_text(sending.key)},
                            {"bytes", sending.bytes},
                            {"of", sending.of ? boost::json::value(*sending.of) : boost::json::value(nullptr)},
                            {"rate_bytes_per_second", static_cast<std::uint64_t>(rate(sending, input.time))},
                            {"idle_seconds", idle_seconds(sending, input.time)},
                            {"started_at", model::json_time(sending.started)},
                            {"expected_end", end ? model::json_time(*end) : boost::json::value(nullptr)}});
        }
    }
    return list;
}

}  // namespace

boost::json::object progress_json(const ActiveRun& run, base::SteadyTime now) {
    const auto& progress = *run.progress;
    return {{"run", run.request.run.text()},
            {"job", run.request.job->name},
            {"stage", progress.stage},
            {"part", progress.part},
            {"parts_done", progress.parts_done},
            {"parts", progress.parts},
            {"raw_bytes", progress.raw_bytes},
            {"bytes", progress.bytes},
            {"expected_bytes", progress.expected_bytes},
            {"expected_raw_bytes", progress.expected_raw_bytes},
            {"rate_bytes_per_second", static_cast<std::uint64_t>(rate(run, now))},
            {"elapsed_seconds", seconds_between(run.started, now)}};
}

boost::json::object status_json(const StatusInput& input) {
    boost::json::array running;
    for (const auto& [id, run] : input.active) {
        auto entry = progress_json(*run, input.now);
        entry["started_at"] = model::json_time(run->report.started_at);
        entry["trigger"] = model::trigger_text(run->request.trigger);
        auto end = uploads_end(input, run->request.job->name);
        if (const auto left = remaining(*run, input.now)) {
            const auto elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(input.now - run->started);
            const auto dumped = run->report.started_at + elapsed + *left;
            end = std::max(end.value_or(dumped), dumped);
        }
        entry["expected_end"] = end ? model::json_time(*end) : boost::json::value(nullptr);
        running.push_back(std::move(entry));
    }
    boost::json::array next;
    for (const auto& fire : input.planner.upcoming(upcoming_shown)) {
        const auto job = input.config.job(fire.job);
        if (job) next.push_back({{"job", fire.job}, {"at", zone_time(fire.at, *job->zone)}});
    }
    boost::json::object backlog;
    std::uint64_t waiting = 0;
    for (const auto& [channel, number] : input.backlog) {
        backlog[channel] = number;
        waiting += number;
    }
    return {{"daemon",
             {{"version", input.daemon.version},
              {"pid", input.daemon.pid},
              {"started_at", model::json_time(input.daemon.started_at)},
              {"ready", input.daemon.ready}}},
            {"running", std::move(running)},
            {"next", std::move(next)},
            {"uploads", uploads_json(input)},
            {"alerts", {{"waiting", waiting}, {"channels", std::move(backlog)}}}};
}

boost::json::object finding_json(const model::Finding& finding) {
    return {
        {"severity", model::severity_text(finding.severity)}, {"kind", model::finding_text(finding.key.kind)},
        {"job", model::json_text_or_null(finding.key.job)},   {"place", model::json_text_or_null(finding.key.place)},
        {"set", model::json_text_or_null(finding.set)},       {"message", model::json_text(finding.message)},
        {"hint", model::json_text_or_null(finding.hint)},     {"since", model::json_time(finding.opened_at)}};
}

std::string job_text(const model::JobSpec& job, const JobFacts& facts, const std::optional<base::Instant>& next,
                     const std::vector<const model::Finding*>& findings) {
    boost::json::object entry{{"job", job.name}, {"schedule", job.schedule.canonical()}};
    entry["last_success"] = facts.last_success ? model::json_time(*facts.last_success) : nullptr;
    entry["problem"] = model::json_text_or_null(facts.problem);
    entry["newest_set"] = nullptr;
    if (const auto& newest = facts.newest())
        entry["newest_set"] = {{"set", newest->set},
                               {"started_at", model::json_time(newest->started_at)},
                               {"size_bytes", newest->bytes},
                               {"verified", newest->verified}};
    entry["next"] = next ? zone_time(*next, *job.zone) : boost::json::value(nullptr);
    boost::json::array list;
    for (const auto* finding : findings) list.push_back(finding_json(*finding));
    entry["findings"] = std::move(list);
    return model::compact(entry);
}

boost::json::array owed_json(std::vector<OwedCopy> owed) {
    std::sort(owed.begin(), owed.end(), [](const auto& a, const auto& b) {
        return std::tie(a.target, a.job, a.set) < std::tie(b.target, b.job, b.set);
    });
    if (owed.size() > most_owed_told) owed.resize(most_owed_told);
    boost::json::array list;
    for (const auto& copy : owed)
        list.push_back({{"set", copy.set},
                        {"job", copy.job},
                        {"target", copy.target},
                        {"since", model::json_time(copy.since)},
                        {"bytes", copy.bytes},
                        {"attempts", copy.attempts},
                        {"next_attempt", model::json_time(copy.next_attempt)},
                        {"message", model::json_text_or_null(copy.message)}});
    return list;
}

std::string status_line(const config::Config& config, const scheduler::Planner& planner,
                        const std::map<std::string, std::shared_ptr<ActiveRun>>& active) {
    std::string line;
    for (const auto& [id, run] : active) {
        line += line.empty() ? "running " : ", ";
        line += fmt::format("{} ({}, {})", run->request.job->name, run->progress->stage,
                            base::format_size(run->progress->bytes));
    }
    if (line.empty()) line = fmt::format("{} {}", config.jobs.size(), config.jobs.size() == 1 ? "job" : "jobs");
    const auto upcoming = planner.upcoming(1);
    if (upcoming.empty()) return line + "; nothing is scheduled";
    const auto job = config.job(upcoming.front().job);
    const auto& zone = job ? *job->zone : *config.zone;
    return fmt::format("{}; next is {} at {}", line, upcoming.front().job,
                       calendar::format_for_people(upcoming.front().at, zone));
}

}  // namespace pgbakd::service
