// What the tests of lib/health share: a job that is well, and findings as texts.
#pragma once

#include <fmt/format.h>

#include "calendar/zone.hpp"
#include "health/evaluate.hpp"
#include "support/common.hpp"

namespace pgbakd::health::testing {

using namespace std::chrono_literals;
using model::Finding;
using model::FindingKind;
using model::Severity;
using Texts = std::vector<std::string>;

inline const base::Timestamp now = base::Timestamp(calendar::parse_rfc3339("2026-02-01T00:00:00Z").value());

inline GoodSet set_of_age(std::chrono::milliseconds age) {
    return {{"shop", "20260113_000001"}, now - age};
}

inline Place place(const std::string& name, std::optional<GoodSet> newest, std::chrono::milliseconds known = 1000h) {
    return {name, true, std::move(newest), now - known};
}

// Its sets are an hour old and of one size.
inline Job well_job(const std::string& name = "shop") {
    Job job;
    job.name = name;
    job.max_age = 26h;
    job.places = {place("local", set_of_age(1h)), place("r2", set_of_age(1h))};
    job.sizes = {100, 100, 100, 100, 100, 100, 100, 100};
    job.last_run = LastRun{model::Outcome::success, "shop/20260113_000001", {}, {}};
    job.last_success = now - 1h;
    return job;
}

inline Inputs inputs_of(std::vector<Job> jobs) {
    Inputs inputs;
    inputs.now = now;
    inputs.jobs = std::move(jobs);
    return inputs;
}

// "critical too_old shop r2: the newest …"
inline std::string text(const Finding& finding) {
    std::string key(model::finding_text(finding.key.kind));
    if (!finding.key.job.empty()) key += " " + finding.key.job;
    if (!finding.key.place.empty()) key += " " + finding.key.place;
    return fmt::format("{} {}: {}", model::severity_text(finding.severity), key, finding.message);
}
inline Texts texts(const std::vector<Finding>& findings) {
    Texts result;
    for (const auto& finding : findings) result.push_back(text(finding));
    return result;
}
inline Texts found(const Inputs& inputs) {
    return texts(evaluate(inputs));
}
inline Texts found(Job job) {
    return found(inputs_of({std::move(job)}));
}

inline Finding open(FindingKind kind, const std::string& job, const std::string& where = {},
                    std::chrono::milliseconds age = 5h) {
    Finding finding;
    finding.key = {kind, job, where};
    finding.severity = Severity::warning;
    finding.message = "as it was";
    finding.opened_at = finding.told_at = now - age;
    return finding;
}

}  // namespace pgbakd::health::testing
