// A run of a job and the report it leaves.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/identifier.hpp"
#include "base/result.hpp"
#include "model/backup_set.hpp"

namespace pgbakd::model {

// unknown: what told it is damaged or was lost.
enum class Trigger { schedule, catch_up, manual, milestone, change, unknown };
[[nodiscard]] std::string_view trigger_text(Trigger trigger) noexcept;  // "schedule", "catch-up", "manual" …
[[nodiscard]] base::Result<Trigger> parse_trigger(std::string_view text);

enum class Outcome { running, success, warning, failed, skipped, cancelled, interrupted };
[[nodiscard]] std::string_view outcome_text(Outcome outcome) noexcept;  // "RUNNING", "SUCCESS" …
[[nodiscard]] base::Result<Outcome> parse_outcome(std::string_view text);

enum class StageName { preflight, dump, verify, commit, upload, prune, report };
[[nodiscard]] std::string_view stage_text(StageName stage) noexcept;
[[nodiscard]] base::Result<StageName> parse_stage(std::string_view text);

struct StageReport {
    StageName name{};
    std::string status;  // "ok", "failed", "skipped"
    base::Timestamp started_at{};
    std::chrono::milliseconds duration{};
    std::uint64_t bytes = 0;
    int attempts = 1;
    std::string message;
};

// What became of a run's set on a target.
struct TargetReport {
    std::string name;
    std::string status;       // "copied", "owed"
    std::uint64_t bytes = 0;  // that the target has
    std::string verified;     // "checksum", "read back"; empty: not
    std::string message;      // why it is owed
};

struct ErrorReport {
    std::string code;
    std::string message;
    std::string hint;
};

struct RunReport {
    base::RunId run;
    std::string job;
    Trigger trigger{};
    Outcome outcome = Outcome::running;
    std::optional<base::Instant> slot;  // the fire it belongs to; none for manual runs
    base::Timestamp started_at{};
    base::Timestamp finished_at{};
    std::string timezone;
    std::string set;            // "job/20260113_000001"; empty if none was committed
    std::string set_directory;  // where that set lies on disk, absolute; empty if none
    std::uint64_t size_bytes = 0;
    std::vector<StageReport> stages;
    std::vector<Artifact> artifacts;
    std::vector<TargetReport> targets;
    std::vector<std::string> notes;  // worth knowing, not wrong: a new database, no snapshot on this server …
    std::optional<ErrorReport> error;

    [[nodiscard]] std::chrono::milliseconds duration() const noexcept { return finished_at - started_at; }
};

// The JSON report, indented, with a final newline; times in UTC. And back, as strict and bounded as a manifest.
[[nodiscard]] std::string to_report(const RunReport& report);
[[nodiscard]] base::Result<RunReport> parse_report(std::string_view text);

}  // namespace pgbakd::model
