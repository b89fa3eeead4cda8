#include "offsite/retention.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "offsite/backlog.hpp"
#include "offsite/keys.hpp"
#include "offsite/remote_sets.hpp"
#include "repository/names.hpp"

namespace pgbakd::offsite {
namespace {

constexpr std::chrono::hours stale_after{24};

// What is known of a job's sets on this host.
struct Known {
    std::map<model::SetId, catalog::Copy> there;  // that the target should have
    std::set<model::SetId> owed;
    std::set<model::SetId> pinned;
};

Known read_known(const Retention& around, const std::string& job) {
    Known known;
    if (around.catalog != nullptr) {
        for (auto& copy : around.catalog->copies(job)) {
            if (copy.target != around.name) continue;
            if (copy.owed)
                known.owed.insert(copy.id);
            else
                known.there.emplace(copy.id, std::move(copy));
        }
    }
    for (const auto& set : around.repository.sets(job))
        if (set.pinned) known.pinned.insert(set.manifest.id);
    return known;
}

catalog::Copy copy_there(const std::string& target, const model::BackupSet& set, base::Timestamp now) {
    auto copy = owed_copy(target, set, now);
    copy.owed = false;
    return copy;
}

retention::Candidate candidate_of(const catalog::Copy& copy, bool pinned) {
    retention::Candidate candidate;
    candidate.id = copy.id;
    candidate.started_at = copy.started_at;
    candidate.complete = copy.complete;
    candidate.verified = copy.verified;
    candidate.pinned = pinned;
    candidate.milestone = !copy.milestone.empty();
    return candidate;
}

// Forgets a copy, and gives it. Blocks.
std::optional<catalog::Copy> take_out(const Retention& around, const model::SetId& id) {
    if (around.catalog == nullptr) return std::nullopt;
    const auto copies = around.catalog->copies_of(id);
    const auto found =
        std::find_if(copies.begin(), copies.end(), [&](const auto& copy) { return copy.target == around.name; });
    around.catalog->forget_copy(around.name, id);
    return found == copies.end() ? std::nullopt : std::optional(*found);
}

// One that cannot be read may be anything: nobody deletes it, and it counts for nothing.
retention::Candidate unknown(const model::SetId& id, const std::string& why) {
    retention::Candidate candidate;
    candidate.id = id;
    candidate.started_at = repository::time_in_name(id.set);
    candidate.complete = false;
    candidate.verified = model::Verification::none;
    candidate.held_by.push_back("caution, since its manifest cannot be read: " + why);
    return candidate;
}

}  // namespace

asio::awaitable<RemotePlan> plan_remote(Retention around, std::shared_ptr<const model::JobSpec> job,
                                        base::Timestamp now, async::StopToken stop) {
    // Before the listing: a set that comes meanwhile is listed and not known, which is harmless; the other way round it
    // would be taken for gone.
    const auto read = [around, name = job->name] { return read_known(around, name); };
    auto known = co_await async::run_blocking(around.pool, read);
    const auto sets = co_await remote_sets(around.target, job->name, stop);
    RemotePlan plan;
    std::vector<retention::Candidate> candidates;
    std::vector<catalog::Copy> learnt;
    for (const auto& set : sets) {
        if (!set.exists) {
            if (!known.owed.contains(set.id) && set.newest + stale_after < now) plan.stale.push_back(set.id);
            continue;
        }
        const bool pinned = set.pinned || known.pinned.contains(set.id);
        const auto enter = [&](const catalog::Copy& copy) {
            candidates.push_back(candidate_of(copy, pinned));
            candidates.back().corrupt = set.corrupt;
        };
        if (const auto found = known.there.find(set.id); found != known.there.end()) {
            enter(found->second);
            known.there.erase(found);
            continue;
        }
        std::optional<base::Error> unreadable;
        try {
            const auto manifest = co_await remote_manifest(around.target, set.id, stop);
            auto copy = copy_there(around.name, manifest, now);
            enter(copy);
            // What is owed may lie there under another host's manifest: whoever sends it finds out.
            if (known.owed.contains(set.id))
                candidates.back().held_by.push_back("a copy owed to " + around.name);
            else
                learnt.push_back(std::move(copy));
        } catch (const base::Error& error) {
            unreadable = error;
        }
        if (!unreadable) continue;
        stop.check();
        if (unreadable->is_passing()) throw base::Error(*unreadable);
        candidates.push_back(unknown(set.id, unreadable->message()));
        plan.remarks.push_back(fmt::format("{} on {}: {}", set.id.text(), around.name, unreadable->message()));
    }
    for (const auto& [id, copy] : known.there)
        plan.remarks.push_back(
            fmt::format("{} is gone from {}: somebody else deleted it there", id.text(), around.name));
    if (around.record && (!learnt.empty() || !known.there.empty())) {
        const auto record = [around, learnt, gone = known.there] {
            around.catalog->put_copies(learnt);
            for (const auto& [id, copy] : gone) around.catalog->forget_copy(around.name, id);
        };
        co_await async::run_blocking(around.pool, record);
    }
    for (auto& candidate : candidates)
        if (candidate.id == around.made) candidate.held_by.emplace_back(retention::held_by_its_run);
    plan.decisions = retention::plan(std::move(candidates), job->target_retention.at(around.name), now, *job->zone);
    co_return plan;
}

asio::awaitable<RemotePruned> apply_remote(Retention around, RemotePlan plan, async::StopToken stop) {
    RemotePruned pruned;
    for (auto& decision : plan.decisions) {
        if (decision.keep) continue;
        // Before: a kill in between must not look as if somebody else had deleted it. What is there is learnt again.
        const auto forget = [around, id = decision.id] { return take_out(around, id); };
        const auto known = co_await async::run_blocking(around.pool, forget);
        std::exception_ptr failure;
        std::optional<target::Refusal> refused;
        try {
            refused = co_await remove_manifest(around.target, decision.id, stop);
        } catch (...) {
            failure = std::current_exception();
        }
        // Without its manifest it is no set any more, whatever else of it the target keeps.
        if (failure || refused) {
            const auto put_back = [around, known] {
                if (known) around.catalog->put_copy(*known);
            };
            co_await async::run_blocking(around.pool, put_back);
            if (failure) std::rethrow_exception(failure);
        } else {
            refused = co_await remove_remains(around.target, decision.id, stop);
        }
        if (refused)
            pruned.retained.push_back(fmt::format("{}: {}", decision.id.text(), refused->error.message()));
        else
            pruned.deleted.push_back(std::move(decision));
    }
    for (const auto& id : plan.stale) {
        const auto removed = co_await remove_remote_set(around.target, id, stop);
        if (!removed.refused) ++pruned.swept;
    }
    co_return pruned;
}

}  // namespace pgbakd::offsite
