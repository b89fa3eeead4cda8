// The rules of a policy, each on its own: which of the good sets it keeps, and how it says so.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "retention/plan.hpp"

namespace pgbakd::retention {

// A set and the reasons to keep it that were found so far.
struct Judged {
    const Candidate* candidate = nullptr;
    std::vector<std::string> reasons;
};

// Adds the reasons of all rules to the sets they keep. `good` are the good sets, newest first.
void apply_rules(std::vector<Judged*>& good, const model::RetentionPolicy& policy, base::Timestamp now,
                 const calendar::Zone& zone);

// Why no rule keeps a good set: "older than 30 days, not among the 7 newest".
[[nodiscard]] std::string why_no_rule_keeps(const model::RetentionPolicy& policy);

// "1 day", "30 days".
[[nodiscard]] std::string counted(int number, const char* noun);

}  // namespace pgbakd::retention
