#include "retention/plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text.hpp"
#include "retention/rules.hpp"

namespace pgbakd::retention {
namespace {

bool is_newer(const Candidate& a, const Candidate& b) {
    return std::pair(a.started_at, model::name_order(a.id)) > std::pair(b.started_at, model::name_order(b.id));
}

// What keeps a set whatever the rules say.
void add_exemptions(Judged& set, base::Timestamp now) {
    const auto& candidate = *set.candidate;
    if (candidate.milestone) set.reasons.emplace_back("a milestone");
    if (candidate.pinned) set.reasons.emplace_back("pinned");
    for (const auto& holder : candidate.held_by) set.reasons.push_back("held by " + holder);
    if (candidate.started_at > now) set.reasons.emplace_back("began in the future by this clock");
}

// `newer_good`: the newest good set before it in the plan's order (null: none), and how many there are.
struct Followers {
    const Candidate* newest = nullptr;
    int good = 0;
};

// A set that is not good is judged by what followed it alone.
Decision decide_bad(const Judged& set, const Followers& followers, int floor) {
    const auto& candidate = *set.candidate;
    const bool judged_incomplete = !candidate.complete && !candidate.corrupt && !candidate.lacking;
    const auto needed = judged_incomplete ? 1 : floor;
    const auto* fact = candidate.corrupt   ? "found corrupt"
                       : candidate.lacking ? "not whole"
                       : judged_incomplete ? "incomplete"
                                           : "never decoded to its end";
    Decision decision{candidate.id, followers.good < needed, {}};
    if (judged_incomplete)
        decision.reason = decision.keep ? "incomplete, and no complete set has followed it yet"
                                        : "incomplete, and a complete set has followed it: " + followers.newest->id.set;
    else if (decision.keep)
        decision.reason = fmt::format("{}, but only {} of {} good sets have followed it", fact, followers.good, needed);
    else
        decision.reason = fmt::format("{}; {} newer good {}", fact, followers.good,
                                      followers.good == 1 ? "set remains" : "sets remain");
    return decision;
}

}  // namespace

bool is_good(const Candidate& candidate) noexcept {
    return candidate.complete && !candidate.corrupt && !candidate.lacking &&
           candidate.verified >= model::Verification::decoded;
}

std::vector<Decision> plan(std::vector<Candidate> candidates, const model::RetentionPolicy& policy, base::Timestamp now,
                           const calendar::Zone& zone) {
    std::sort(candidates.begin(), candidates.end(), is_newer);
    std::vector<Judged> sets;
    sets.reserve(candidates.size());
    std::vector<Judged*> good;
    for (const auto& candidate : candidates) {
        sets.push_back({&candidate, {}});
        add_exemptions(sets.back(), now);
        if (is_good(candidate) && candidate.started_at <= now) good.push_back(&sets.back());
    }
    apply_rules(good, policy, now, zone);
    const int floor = std::max(1, policy.at_least);
    for (std::size_t i = 0; i < good.size(); ++i) {
        if (!policy.has_rule()) good[i]->reasons.emplace_back("no retention rule is set");
        if (static_cast<int>(i) < floor && good[i]->reasons.empty())
            good[i]->reasons.push_back(floor == 1 ? "the newest good set"
                                                  : fmt::format("one of the {} newest good sets", floor));
    }

    std::vector<Decision> decisions;
    decisions.reserve(sets.size());
    Followers followers;  // good sets that stay
    const auto why_not = why_no_rule_keeps(policy);
    for (const auto& set : sets) {
        const auto& candidate = *set.candidate;
        const bool counts = is_good(candidate) && candidate.started_at <= now;
        if (!set.reasons.empty())
            decisions.push_back({candidate.id, true, base::join(set.reasons, "; ")});
        else if (counts)
            decisions.push_back({candidate.id, false,
                                 fmt::format("{}; {} newer good {}", why_not, followers.good,
                                             followers.good == 1 ? "set remains" : "sets remain")});
        else
            decisions.push_back(decide_bad(set, followers, floor));
        if (counts && decisions.back().keep) {
            if (followers.newest == nullptr) followers.newest = &candidate;
            ++followers.good;
        }
    }
    return decisions;
}

}  // namespace pgbakd::retention
