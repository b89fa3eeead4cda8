// Something that is wrong and stays wrong until it clears: what health checks find, and what `status` shows.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "model/severity.hpp"

namespace pgbakd::model {

enum class FindingKind {
    run_failed,        // the job's last run failed
    too_old,           // no good set of the job in that place within its max_age
    corrupt,           // a set was found corrupt
    copy_owed,         // a target lacks a set
    size_changed,      // the newest set is much larger or smaller than those before
    disk_usage,        // a file system is fuller than health.disk_usage
    free_space,        // a file system has less than repository.min_free
    fires_missed,      // fires did not run, and were not made up for
    reload_refused,    // the configuration on disk is not the one in force
    channel_failing,   // alerts wait for a channel that does not take them
    other_repository,  // the repository, or a job's directory in it, is not the one that the state file is about
    check_incomplete,  // something could not be looked at
};
[[nodiscard]] std::string_view finding_text(FindingKind kind) noexcept;  // "run_failed", "too_old" …
[[nodiscard]] base::Result<FindingKind> parse_finding_kind(std::string_view text);

// Whose it is: at most one finding of each is open at a time.
struct FindingKey {
    FindingKind kind{};
    std::string job;    // empty: not of one job
    std::string place;  // "local", a target, a channel, a directory; empty: none
    friend auto operator<=>(const FindingKey&, const FindingKey&) = default;  // NOLINT(modernize-use-nullptr)
};

struct Finding {
    FindingKey key;
    Severity severity = Severity::warning;
    std::string set;      // "job/20260113_000001", where it is of one set
    std::string message;  // a lower-case fact, as of the last look
    std::string hint;
    base::Timestamp opened_at{};
    base::Timestamp told_at{};    // when it was last alerted; the epoch: never
    base::Timestamp closed_at{};  // the epoch: it is open
    // The channels that were told of it, and the highest severity that they were told of: these hear of its end.
    std::optional<Severity> told_severity{};
    std::vector<std::string> told_to{};
    friend bool operator==(const Finding&, const Finding&) = default;
};

}  // namespace pgbakd::model
