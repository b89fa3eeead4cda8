// What an alert is about, as people read it in every channel that is written for them. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/alert.hpp"

namespace pgbakd::alert {

struct Fact {
    std::string_view name;  // "job"
    std::string value;      // not empty; as it came, neither escaped nor cut
    friend bool operator==(const Fact&, const Fact&) = default;
};

// job, host, set, place, run, size and duration (against the run before), those that there are.
[[nodiscard]] std::vector<Fact> facts_of(const model::Alert& alert);

// "12.4 MiB (before: 12.0 MiB, +3 %)"
[[nodiscard]] std::string size_text(const model::Alert& alert);
// "4.1 s (before: 3.9 s)"
[[nodiscard]] std::string duration_text(const model::Alert& alert);

// The most severe of them, which is what a digest is as a whole.
[[nodiscard]] model::Severity severity_of(const std::vector<model::Alert>& alerts);
// "12 alerts from db1: 2 critical, 10 warning"
[[nodiscard]] std::string digest_title(const std::vector<model::Alert>& alerts);
// Indices, the most severe first, otherwise as they came: what is cut off is the least of it.
[[nodiscard]] std::vector<std::size_t> by_severity(const std::vector<model::Alert>& alerts);
// Its title, or what stands in for one that is empty.
[[nodiscard]] std::string title_of(const model::Alert& alert);
// "2026-01-12 16:00:01 UTC"; empty for the epoch.
[[nodiscard]] std::string time_text(base::Timestamp time);

}  // namespace pgbakd::alert
