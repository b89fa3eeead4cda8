// The retention plan of one place for one job.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "calendar/zone.hpp"
#include "model/backup_set.hpp"
#include "model/job.hpp"

namespace pgbakd::retention {

// What the plan must know of a set.
struct Candidate {
    model::SetId id;
    base::Timestamp started_at{};
    bool complete = true;                                         // all databases in it
    model::Verification verified = model::Verification::decoded;  // as last checked
    bool corrupt = false;                                         // a later check found it broken
    bool lacking = false;                                         // part of it is not there as its manifest says
    bool pinned = false;
    bool milestone = false;
    std::vector<std::string> held_by;  // copies owed, a drill, a restore: each as people read it
};

// What holds a set while the run that made it prunes: no run deletes its own set, whatever a clock made of their order.
inline constexpr std::string_view held_by_its_run = "the run that has just made it";

// Good: complete, whole, decoded or better, and not found corrupt. Only good sets count for a rule.
[[nodiscard]] bool is_good(const Candidate& candidate) noexcept;

struct Decision {
    model::SetId id;
    bool keep = true;
    std::string reason;  // "newer than 30 days", "one of the 2 newest good sets", "older than 30 days" …
};

// One decision for each candidate, newest first. Rules: docs/operations.md. `zone` is the job's: periods are its days,
// weeks (Monday first), months and years.
//
// - Sets are ordered by their start to the millisecond, then by the number in their name.
// - `days: N` and `weeks: N` are N × 24 hours and N × 168 hours back from `now`, in whole seconds; a set that began
// just
//   then is kept.
// - `daily: N` keeps the newest good set of each of the N newest days that have one, so that a pause in the backups
//   loses nothing; weekly, monthly and yearly likewise.
// - The floor `at_least` is never below one: the newest good set always stays.
// - An incomplete set stays until a good one has followed it. A corrupt or undecoded one, or one of which a part is
// gone,
//   which may still be of some use, stays until `at_least` good ones have. Neither is ever the reason to delete another
//   set.
// - Pinned sets, milestones and held ones stay. Sets that began in the future (a clock that stepped back) stay, and
//   count for nothing.
// - Without any rule all good sets stay.
[[nodiscard]] std::vector<Decision> plan(std::vector<Candidate> candidates, const model::RetentionPolicy& policy,
                                         base::Timestamp now, const calendar::Zone& zone);

}  // namespace pgbakd::retention
