// What `/metrics` says, in the text format of Prometheus
// (https://prometheus.io/docs/instrumenting/exposition_formats/, version 0.0.4). Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "model/run.hpp"
#include "model/severity.hpp"

namespace pgbakd::service {

struct JobMetrics {
    struct Newest {
        base::Timestamp started_at{};
        std::uint64_t bytes = 0;
        std::chrono::milliseconds duration{0};  // 0: not known
    };
    struct Place {
        std::string name;
        std::uint64_t sets = 0, bytes = 0;
    };
    struct Owed {
        std::string target;
        std::uint64_t copies = 0, bytes = 0;
    };
    std::string job;
    std::optional<base::Timestamp> last_success;
    std::optional<Newest> newest;
    std::optional<base::Instant> next_fire;
    std::optional<std::chrono::milliseconds> max_age;
    bool running = false;
    std::map<model::Outcome, std::uint64_t> outcomes;  // since the start
    std::vector<Place> places;
    std::vector<Owed> owed;  // of each of its targets, those without any too
};

struct TargetMetrics {
    std::string target;
    std::uint64_t uploads = 0, bytes_sent = 0, bytes_received = 0, failures = 0;
};

struct MetricsInput {
    std::string version;
    base::Timestamp started_at{};
    std::vector<JobMetrics> jobs;
    std::vector<TargetMetrics> targets;
    std::map<model::Severity, std::uint64_t> findings;  // open
    std::map<std::string, std::uint64_t> backlog;       // alerts that wait, by channel
};

[[nodiscard]] std::string metrics_text(const MetricsInput& input);

// Every metric there is, with its type and what it says: for the documents.
struct MetricKind {
    std::string_view name, type, help;
};
[[nodiscard]] std::vector<MetricKind> metric_kinds();

// A label's value: backslash, quotation mark and line end escaped; what is no UTF-8 becomes "?".
[[nodiscard]] std::string label_value(std::string_view text);

}  // namespace pgbakd::service
