// What is wrong with one job.
#pragma once

#include <map>
#include <vector>

#include "health/inputs.hpp"

namespace pgbakd::health {

// What was open when it was looked, by key. The findings must outlive it.
class OpenFindings {
  public:
    explicit OpenFindings(const std::vector<model::Finding>& findings) {
        for (const auto& finding : findings) by_key_.emplace(finding.key, &finding);
    }
    // Null if there is none.
    [[nodiscard]] const model::Finding* find(const model::FindingKey& key) const {
        const auto found = by_key_.find(key);
        return found == by_key_.end() ? nullptr : found->second;
    }

  private:
    std::map<model::FindingKey, const model::Finding*> by_key_;
};

// What to do where sets cannot be looked at, if the error does not say it.
[[nodiscard]] std::string unseen_hint(const std::string& hint);

// What is wrong with it, at `now`.
[[nodiscard]] std::vector<model::Finding> evaluate_job(const Job& job, const OpenFindings& open, base::Timestamp now);

// When the newest set of that place is too old, or, where there is none, the place itself has been without for too
// long. Only with max_age.
[[nodiscard]] base::Timestamp too_old_from(const Job& job, const Place& place);

}  // namespace pgbakd::health
