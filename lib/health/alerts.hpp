// What people are told of a run and of findings. Pure.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "health/reconcile.hpp"
#include "model/alert.hpp"
#include "model/run.hpp"

namespace pgbakd::health {

// Whom an alert is for. The end of a finding is told to exactly those who were told of it, whatever has become of its
// severity, of its job or of what they want to hear; a success also to those who want to hear of each run.
struct ToldAlert {
    model::Alert alert;
    // The channels that are told things of this severity; nothing: none but `heard`.
    std::optional<model::Severity> reaches = model::Severity::info;
    // Who is told by it of this finding, which is open.
    std::optional<model::FindingKey> about{};
    // Channels that were told of what has ended.
    std::vector<std::string> heard{};
    friend bool operator==(const ToldAlert&, const ToldAlert&) = default;
};

struct Teller {
    std::string host;
    base::Timestamp now{};
    std::function<std::string()> make_id;  // a new ULID each time
};

// One for each finding that opened, rose, is said again, closed or is no longer looked at.
[[nodiscard]] std::vector<ToldAlert> alerts_of(const Changes& changes, const Teller& teller);

// A run began; for heartbeats alone.
// That it is wrong still.
[[nodiscard]] ToldAlert reminder_of(const model::Finding& finding, const Teller& teller);
[[nodiscard]] ToldAlert alert_of_start(const std::string& job, const std::string& run, const Teller& teller);
// A run came to its end: what it was, beside `previous`, the job's success before it. Nothing for one that was skipped,
// cancelled, or is still going on.
[[nodiscard]] std::optional<model::Alert> alert_of(const model::RunReport& run,
                                                   const std::optional<model::RunReport>& previous,
                                                   const Teller& teller);
// The same with all that changed when it was looked at its job behind it. One event is told once: the run's own alert,
// which knows more, stands for the finding that it failed and for its end. A job that fails again and again is told of
// as often as findings are, except to those who want to hear of each run. Of a job that the configuration has no more
// there are no findings: its failure is as severe as it is.
enum class JobIs { configured, gone };
[[nodiscard]] std::vector<ToldAlert> alerts_after_run(const model::RunReport& run,
                                                      const std::optional<model::RunReport>& previous,
                                                      const Changes& changes, const Teller& teller,
                                                      JobIs job = JobIs::configured);

}  // namespace pgbakd::health
