#include "service/metrics.hpp"

#include <fmt/format.h>

#include <array>

#include "base/text.hpp"

namespace pgbakd::service {
namespace {

constexpr MetricKind build_info{"pgbakd_build_info", "gauge", "The version that runs; always 1."};
constexpr MetricKind start_time{"pgbakd_start_time_seconds", "gauge", "When the daemon started."};
constexpr MetricKind last_success{"pgbakd_last_success_timestamp_seconds", "gauge",
                                  "When the job's last good run ended; absent: it had none."};
constexpr MetricKind newest_time{"pgbakd_newest_set_timestamp_seconds", "gauge",
                                 "When the job's newest good set was begun; absent: there is none."};
constexpr MetricKind newest_bytes{"pgbakd_newest_set_bytes", "gauge", "The size of the job's newest good set."};
constexpr MetricKind newest_duration{"pgbakd_newest_set_duration_seconds", "gauge",
                                     "How long the job's newest good set took to be made."};
constexpr MetricKind max_age{
    "pgbakd_max_age_seconds", "gauge",
    "How old the job's newest good set may become (health.max_age); absent: as old as it gets."};
constexpr MetricKind next_fire{"pgbakd_next_fire_timestamp_seconds", "gauge",
                               "When the job is due next; absent: by its schedule never."};
constexpr MetricKind in_progress{"pgbakd_run_in_progress", "gauge",
                                 "1 while a run of the job goes on or waits, else 0."};
constexpr MetricKind runs{"pgbakd_runs_total", "counter", "Runs of the job that ended since the daemon started."};
constexpr MetricKind sets{"pgbakd_sets", "gauge", "Sets of the job in each place; absent: not counted yet."};
constexpr MetricKind set_bytes{"pgbakd_sets_bytes", "gauge", "What the job's sets take in each place."};
constexpr MetricKind owed{"pgbakd_copies_owed", "gauge", "Copies of the job's sets that are still to be sent."};
constexpr MetricKind owed_bytes{"pgbakd_copies_owed_bytes", "gauge", "What is still to be sent, in bytes."};
constexpr MetricKind uploads{"pgbakd_target_uploads_total", "counter", "Files sent to the target since the start."};
constexpr MetricKind sent{"pgbakd_target_sent_bytes_total", "counter", "Bytes sent to the target since the start."};
constexpr MetricKind received{"pgbakd_target_received_bytes_total", "counter",
                              "Bytes read from the target since the start."};
constexpr MetricKind failures{"pgbakd_target_failures_total", "counter",
                              "Operations on the target that failed since the start, later attempts not counted out."};
constexpr MetricKind findings{"pgbakd_findings", "gauge", "Open findings of the health checks."};
constexpr MetricKind backlog{"pgbakd_alerts_waiting", "gauge", "Alerts that the channel has not taken yet."};

double seconds(base::Timestamp time) {
    return static_cast<double>(time.time_since_epoch().count()) / 1000.0;
}
double seconds(std::chrono::milliseconds duration) {
    return static_cast<double>(duration.count()) / 1000.0;
}
double seconds(base::Instant instant) {
    return static_cast<double>(instant.time_since_epoch().count());
}

class Writer {
  public:
    // Samples of one metric stand together, behind its help.
    void kind(const MetricKind& kind) {
        name_ = kind.name;
        fmt::format_to(std::back_inserter(text_), "# HELP {0} {1}\n# TYPE {0} {2}\n", kind.name, kind.help, kind.type);
    }
    template <class Number>
    void sample(std::string_view labels, Number number) {
        if (labels.empty())
            fmt::format_to(std::back_inserter(text_), "{} {}\n", name_, number);
        else
            fmt::format_to(std::back_inserter(text_), "{}{{{}}} {}\n", name_, labels, number);
    }
    void sample(std::string_view labels, double number) {
        // As short as it is exact: 1768003200.25.
        if (labels.empty())
            fmt::format_to(std::back_inserter(text_), "{} {:.15g}\n", name_, number);
        else
            fmt::format_to(std::back_inserter(text_), "{}{{{}}} {:.15g}\n", name_, labels, number);
    }
    [[nodiscard]] std::string take() { return std::move(text_); }

  private:
    std::string text_;
    std::string_view name_;
};

std::string label(std::string_view name, std::string_view value) {
    return fmt::format("{}=\"{}\"", name, label_value(value));
}

void write_jobs(Writer& writer, const std::vector<JobMetrics>& jobs) {
    std::vector<std::string> names;
    names.reserve(jobs.size());
    for (const auto& job : jobs) names.push_back(label("backup_job", job.job));  // "job" is the scrape's own label
    // `value` gives nothing for a job that has no sample.
    const auto one = [&](const MetricKind& kind, const auto& value) {
        writer.kind(kind);
        for (std::size_t i = 0; i < jobs.size(); ++i)
            if (const auto number = value(jobs[i])) writer.sample(names[i], *number);
    };
    const auto of_newest = [](const auto& value) {
        return
            [value](const JobMetrics& job) { return job.newest ? value(*job.newest) : decltype(value(*job.newest)){}; };
    };
    one(last_success, [](const JobMetrics& job) {
        return job.last_success ? std::optional(seconds(*job.last_success)) : std::nullopt;
    });
    one(newest_time, of_newest([](const auto& newest) { return std::optional(seconds(newest.started_at)); }));
    one(newest_bytes, of_newest([](const auto& newest) { return std::optional(newest.bytes); }));
    one(newest_duration, of_newest([](const auto& newest) {
            return newest.duration.count() > 0 ? std::optional(seconds(newest.duration)) : std::nullopt;
        }));
    one(max_age,
        [](const JobMetrics& job) { return job.max_age ? std::optional(seconds(*job.max_age)) : std::nullopt; });
    one(next_fire,
        [](const JobMetrics& job) { return job.next_fire ? std::optional(seconds(*job.next_fire)) : std::nullopt; });
    one(in_progress, [](const JobMetrics& job) { return std::optional(job.running ? 1 : 0); });
    writer.kind(runs);
    constexpr std::array ended{model::Outcome::success, model::Outcome::warning,   model::Outcome::failed,
                               model::Outcome::skipped, model::Outcome::cancelled, model::Outcome::interrupted};
    for (std::size_t i = 0; i < jobs.size(); ++i)
        for (const auto outcome : ended) {
            const auto found = jobs[i].outcomes.find(outcome);
            // From 0 on, so that the first failure is an increase.
            writer.sample(names[i] + "," + label("outcome", base::to_lower(model::outcome_text(outcome))),
                          found == jobs[i].outcomes.end() ? std::uint64_t{0} : found->second);
        }
    const auto each = [&](const MetricKind& kind, std::string_view by, const auto& list, const auto& name,
                          const auto& number) {
        writer.kind(kind);
        for (std::size_t i = 0; i < jobs.size(); ++i)
            for (const auto& entry : jobs[i].*list)
                writer.sample(names[i] + "," + label(by, entry.*name), entry.*number);
    };
    each(sets, "place", &JobMetrics::places, &JobMetrics::Place::name, &JobMetrics::Place::sets);
    each(set_bytes, "place", &JobMetrics::places, &JobMetrics::Place::name, &JobMetrics::Place::bytes);
    each(owed, "target", &JobMetrics::owed, &JobMetrics::Owed::target, &JobMetrics::Owed::copies);
    each(owed_bytes, "target", &JobMetrics::owed, &JobMetrics::Owed::target, &JobMetrics::Owed::bytes);
}

void write_targets(Writer& writer, const std::vector<TargetMetrics>& targets) {
    const auto each = [&](const MetricKind& kind, std::uint64_t TargetMetrics::*number) {
        writer.kind(kind);
        for (const auto& target : targets) writer.sample(label("target", target.target), target.*number);
    };
    each(uploads, &TargetMetrics::uploads);
    each(sent, &TargetMetrics::bytes_sent);
    each(received, &TargetMetrics::bytes_received);
    each(failures, &TargetMetrics::failures);
}

}  // namespace

std::string label_value(std::string_view text) {
    std::string result;
    for (const char c : text) {
        if (c == '\\' || c == '"') result += '\\';
        if (c == '\n')
            result += "\\n";
        else
            result += c;
    }
    return base::printable(result);
}

std::string metrics_text(const MetricsInput& input) {
    Writer writer;
    writer.kind(build_info);
    writer.sample(label("version", input.version), 1);
    writer.kind(start_time);
    writer.sample("", seconds(input.started_at));
    write_jobs(writer, input.jobs);
    write_targets(writer, input.targets);
    writer.kind(findings);
    for (const auto severity : {model::Severity::info, model::Severity::warning, model::Severity::critical}) {
        const auto found = input.findings.find(severity);
        writer.sample(label("severity", model::severity_text(severity)),
                      found == input.findings.end() ? std::uint64_t{0} : found->second);
    }
    writer.kind(backlog);
    for (const auto& [channel, waiting] : input.backlog) writer.sample(label("channel", channel), waiting);
    return writer.take();
}

std::vector<MetricKind> metric_kinds() {
    return {build_info,  start_time, last_success, newest_time, newest_bytes, newest_duration, max_age, next_fire,
            in_progress, runs,       sets,         set_bytes,   owed,         owed_bytes,      uploads, sent,
            received,    failures,   findings,     backlog};
}

}  // namespace pgbakd::service
