#include "offsite/retention.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/text.hpp"
#include "offsite/backlog.hpp"
#include "offsite/confirm.hpp"
#include "offsite/forgotten.hpp"
#include "offsite/keys.hpp"
#include "offsite/owed_set.hpp"
#include "offsite/remote_sets.hpp"
#include "repository/names.hpp"

namespace pgbakd::offsite {
namespace {

// What is known of a job's sets on this host.
struct Known {
    std::map<model::SetId, catalog::Copy> there;  // that the target should have
    std::set<model::SetId> owed;
    std::set<model::SetId> pinned;
    std::vector<repository::StoredSet> here;
    std::map<model::SetId, base::RunId> local;  // of them, those whose runs are known
    std::vector<catalog::SetState> corrupt;     // as the catalog knows of the job's
    std::set<std::string> hosts;                // others, of whose sets it was told before
    // What began before then the catalog knows nothing of, which was lost: see Catalog::unasked_before().
    std::optional<base::Timestamp> unasked_before;
};

Known read_known(const Retention& around, const std::string& job) {
    Known known;
    if (around.catalog != nullptr) {
        for (auto& copy : around.catalog->copies(job)) {
            if (copy.target != around.name) continue;
            if (!copy.host.empty()) known.hosts.insert(copy.host);
            if (copy.owed)
                known.owed.insert(copy.id);
            else
                known.there.emplace(copy.id, std::move(copy));
        }
    }
    if (around.catalog != nullptr) {
        known.corrupt = around.catalog->corrupt_sets(job);
        known.unasked_before = around.catalog->unasked_before(job, around.name);
    }
    known.here = around.repository.sets(job);
    for (const auto& set : known.here) {
        if (set.pinned) known.pinned.insert(set.manifest.id);
        if (!set.manifest.run.empty()) known.local.emplace(set.manifest.id, set.manifest.run);
    }
    return known;
}

// A copy that was found there. Of a set that is here too it is ours, by whatever name this host went then.
catalog::Copy copy_there(const Retention& around, const Known& known, const model::BackupSet& set,
                         base::Timestamp now) {
    auto copy = found_copy(around.name, set, now, around.host);
    const auto local = known.local.find(set.id);
    if (local != known.local.end() && local->second == set.run) copy.host.clear();
    return copy;
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

// Of those whose sets were not there before; each is told once.
std::vector<std::string> host_remarks(const Retention& around, const std::string& job, const Known& known,
                                      const std::vector<catalog::Copy>& learnt) {
    std::map<std::string, std::size_t> sets;
    for (const auto& copy : learnt)
        if (!copy.host.empty() && !known.hosts.contains(copy.host)) ++sets[copy.host];
    std::vector<std::string> remarks;
    remarks.reserve(sets.size());
    for (const auto& [host, count] : sets)
        remarks.push_back(fmt::format(
            "{} too has {} of {} on {}, and prunes its own: left alone here, and counted for nothing; if this "
            "host has taken its place: pgbakctl rescan --from {} --adopt {}",
            host, base::counted(count, "set"), job, around.name, around.name, host));
    return remarks;
}

// What is there and keeps a local set from being lacking. Where nothing will ever be owed of it only a good copy does:
// with it the local one may go.
std::vector<retention::Candidate> proof_of(const Retention& around, std::vector<retention::Candidate> there) {
    if (around.catalog == nullptr)
        std::erase_if(there, [](const auto& candidate) { return !retention::is_good(candidate); });
    return there;
}

std::string lack_remark(const Retention& around, std::size_t count) {
    const auto lacks =
        fmt::format("{} lacks {} that its retention would keep: ", around.name, base::counted(count, "set"));
    if (around.catalog == nullptr)
        return lacks + "kept here, since there is no state file that could say what is owed to it";
    return lacks + "owed to it again, since the state file was lost";
}

std::string not_whole_remark(const Retention& around, const model::SetId& id, const std::string& wrong) {
    return fmt::format("{} on {} is not whole, and counts for nothing there: {}", id.text(), around.name, wrong);
}

// Why a set is none whose objects are of another size than is known of it; empty: by its manifest it is one.
asio::awaitable<std::string> why_not_whole(target::Target& target, model::SetId id, async::StopToken stop) {
    std::optional<base::Error> unreadable;
    std::optional<model::BackupSet> manifest;
    try {
        manifest = co_await remote_manifest(target, id, stop);
    } catch (const base::Error& error) {
        unreadable = error;
    }
    stop.check();
    if (unreadable && unreadable->is_passing()) throw base::Error(*unreadable);
    if (unreadable) co_return unreadable->message();
    co_return co_await what_is_lacking_there(target, *manifest, stop);
}

// The local set of that id, if another copy can be made of it.
const model::BackupSet* good_here(const Known& known, const model::SetId& id) {
    for (const auto& state : known.corrupt)
        if (state.id == id && state.corrupt) return nullptr;
    for (const auto& set : known.here)
        if (set.manifest.id == id)
            return set.problem.empty() && !set.corrupt && set.manifest.complete ? &set.manifest : nullptr;
    return nullptr;
}

// Copies of those that are not whole there, that are here, and that the target's retention would keep if they were: who
// sends them puts there what is gone.
std::vector<catalog::Copy> to_be_mended(const Retention& around, const model::JobSpec& job, const Known& known,
                                        std::vector<retention::Candidate> there, base::Timestamp now) {
    std::map<model::SetId, const model::BackupSet*> here;
    for (auto& candidate : there) {
        if (!candidate.lacking || known.owed.contains(candidate.id)) continue;
        const auto* set = good_here(known, candidate.id);
        if (set == nullptr) continue;
        here.emplace(candidate.id, set);
        candidate.lacking = false;
        candidate.corrupt = false;
        candidate.verified = std::max(candidate.verified, set->verified());
    }
    std::vector<catalog::Copy> owed;
    if (here.empty()) return owed;
    for (const auto& decision : retention::plan(std::move(there), job.target_retention.at(around.name), now, *job.zone))
        if (const auto found = here.find(decision.id); decision.keep && found != here.end())
            owed.push_back(owed_copy(around.name, *found->second, now));
    return owed;
}

// The local sets that the target lacks, as far as nobody knows it.
std::vector<catalog::Copy> lacking_there(const Retention& around, const model::JobSpec& job, const Known& known,
                                         const std::vector<retention::Candidate>& there, base::Timestamp now) {
    if (around.catalog != nullptr && !known.unasked_before) return {};
    const BothPlaces places{proof_of(around, there), known.here, known.corrupt};
    auto lacking = forgotten_copies(around.name, places, job.target_retention.at(around.name), now, *job.zone);
    if (around.catalog == nullptr) return lacking;
    std::erase_if(lacking, [&known](const catalog::Copy& copy) {
        // What it knows to have been there, somebody else has deleted.
        const bool is_known = known.owed.contains(copy.id) || known.there.contains(copy.id);
        return is_known || copy.started_at >= *known.unasked_before;
    });
    return lacking;
}

}  // namespace

void record_plan(catalog::Catalog& catalog, const RemotePlan& plan) {
    // First what stands nowhere else: once the target counts as asked, nothing asks again.
    if (!plan.lacking.empty()) catalog.put_copies(plan.lacking);
    // What came to be owed meanwhile stays so.
    if (!plan.learnt.empty() || !plan.gone.empty()) (void)catalog.rescan_copies(plan.learnt, plan.gone);
    if (plan.is_first) catalog.put_asked(plan.job, plan.target);
}

retention::Candidate candidate_of(const catalog::Copy& copy, bool pinned) {
    retention::Candidate candidate;
    candidate.id = copy.id;
    candidate.started_at = copy.started_at;
    candidate.complete = copy.complete;
    candidate.verified = copy.verified;
    candidate.pinned = pinned;
    candidate.milestone = !copy.milestone.empty();
    if (copy.host.empty()) return candidate;
    // Another host's: nobody deletes it here, and it counts for nothing.
    candidate.complete = false;
    candidate.verified = model::Verification::none;
    candidate.held_by.push_back(copy.host + ", which made it and prunes its own");
    return candidate;
}

retention::Candidate unknown_candidate(const model::SetId& id, const std::string& why) {
    retention::Candidate candidate;
    candidate.id = id;
    candidate.started_at = repository::time_in_name(id.set);
    candidate.complete = false;
    candidate.verified = model::Verification::none;
    candidate.held_by.push_back("caution, since its manifest cannot be read: " + why);
    return candidate;
}

asio::awaitable<RemotePlan> plan_remote(Retention around, std::shared_ptr<const model::JobSpec> job,
                                        base::Timestamp now, async::StopToken stop) {
    // Before the listing: a set that comes meanwhile is listed and not known, which is harmless; the other way round it
    // would be taken for gone.
    const auto read = [around, name = job->name] { return read_known(around, name); };
    auto known = co_await async::run_blocking(around.pool, read);
    const auto sets = co_await remote_sets(around.target, job->name, stop);
    RemotePlan plan;
    plan.job = job->name;
    plan.target = around.name;
    plan.is_first = known.unasked_before.has_value();
    std::vector<retention::Candidate> candidates;
    auto& learnt = plan.learnt;
    for (auto& id : stale_halves(sets, now))
        if (!known.owed.contains(id)) plan.stale.push_back(std::move(id));
    for (const auto& set : sets) {
        if (!set.exists) continue;
        const bool pinned = set.pinned || known.pinned.contains(set.id);
        const auto enter = [&](const catalog::Copy& copy) {
            candidates.push_back(candidate_of(copy, pinned));
            candidates.back().corrupt = set.corrupt;
        };
        if (const auto found = known.there.find(set.id); found != known.there.end()) {
            auto copy = std::move(found->second);
            known.there.erase(found);
            enter(copy);
            if (!copy.host.empty() || set.artifact_bytes == copy.bytes) continue;
            const auto wrong = co_await why_not_whole(around.target, set.id, stop);
            if (wrong.empty()) continue;
            candidates.back().lacking = true;
            plan.remarks.push_back(not_whole_remark(around, set.id, wrong));
            // It counts nowhere any more.
            copy.verified = model::Verification::none;
            learnt.push_back(std::move(copy));
            continue;
        }
        std::optional<base::Error> unreadable;
        try {
            const auto manifest = co_await remote_manifest(around.target, set.id, stop);
            auto copy = copy_there(around, known, manifest, now);
            std::string wrong;
            if (copy.host.empty() && set.artifact_bytes != manifest.bytes())
                wrong = co_await what_is_lacking_there(around.target, manifest, stop);
            enter(copy);
            candidates.back().lacking = !wrong.empty();
            if (!wrong.empty()) plan.remarks.push_back(not_whole_remark(around, set.id, wrong));
            if (set.corrupt || !wrong.empty()) copy.verified = model::Verification::none;
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
        candidates.push_back(unknown_candidate(set.id, unreadable->message()));
        plan.remarks.push_back(fmt::format("{} on {}: {}", set.id.text(), around.name, unreadable->message()));
    }
    for (const auto& [id, copy] : known.there)
        if (copy.host.empty())
            plan.remarks.push_back(
                fmt::format("{} is gone from {}: somebody else deleted it there", id.text(), around.name));
    for (auto& remark : host_remarks(around, job->name, known, learnt)) plan.remarks.push_back(std::move(remark));
    const auto& policy = job->target_retention.at(around.name);
    plan.lacking = lacking_there(around, *job, known, candidates, now);
    // Half of it may lie there: whoever sends it sees to that.
    for (const auto& copy : plan.lacking) std::erase(plan.stale, copy.id);
    if (!plan.lacking.empty()) plan.remarks.push_back(lack_remark(around, plan.lacking.size()));
    for (auto& copy : to_be_mended(around, *job, known, candidates, now)) {
        const auto is_it = [&copy](const auto& other) { return other.id == copy.id; };
        for (auto& candidate : candidates)
            if (is_it(candidate)) candidate.held_by.push_back("a copy owed to " + around.name);
        std::erase_if(learnt, is_it);
        if (around.catalog != nullptr)
            plan.remarks.push_back(fmt::format("{} is here, and owed to {} again", copy.id.text(), around.name));
        if (std::none_of(plan.lacking.begin(), plan.lacking.end(), is_it)) plan.lacking.push_back(std::move(copy));
    }
    for (auto& [id, copy] : known.there) plan.gone.push_back(std::move(copy));
    if (around.record) {
        const auto record = [around, &plan] { record_plan(*around.catalog, plan); };
        co_await async::run_blocking(around.pool, record);
    }
    for (auto& candidate : candidates)
        if (candidate.id == around.made) candidate.held_by.emplace_back(retention::held_by_its_run);
    plan.decisions = retention::plan(std::move(candidates), policy, now, *job->zone);
    co_return plan;
}

namespace {

// What would be the same for every set.
bool ends_all(const base::Error& error) {
    switch (error.code()) {
        case base::ErrorCode::unreachable:
        case base::ErrorCode::timed_out:
        case base::ErrorCode::authentication_failed:
        case base::ErrorCode::invalid_configuration:
        case base::ErrorCode::client_missing: return true;
        default: return false;
    }
}

// What becomes of one set. Throws what goes wrong; the set is then as it was, unless it is `gone`.
asio::awaitable<std::optional<target::Refusal>> delete_one(const Retention& around, model::SetId id, bool& gone,
                                                           async::StopToken stop) {
    // Before: a kill in between must not look as if somebody else had deleted it. What is there is learnt again.
    const auto forget = [&around, id] { return take_out(around, id); };
    const auto known = co_await async::run_blocking(around.pool, forget);
    std::exception_ptr failure;
    std::optional<target::Refusal> refused;
    try {
        refused = co_await remove_manifest(around.target, id, stop);
    } catch (...) {
        failure = std::current_exception();
    }
    // Without its manifest it is no set any more, whatever else of it the target keeps.
    gone = !failure && !refused;
    if (gone) co_return co_await remove_remains(around.target, id, stop);
    const auto put_back = [&around, known] {
        if (known) around.catalog->put_copy(*known);
    };
    co_await async::run_blocking(around.pool, put_back);
    if (failure) std::rethrow_exception(failure);
    co_return refused;
}

// Whether it removed a half that nobody has a use for.
asio::awaitable<bool> sweep_one(const Retention& around, model::SetId id, async::StopToken stop) {
    // Held while it is looked at and removed; who sends it has it meanwhile.
    std::shared_ptr<void> claim;
    if (around.claim) claim = around.claim(id);
    if (around.claim && !claim) co_return false;
    const auto look = [&around, id] {
        if (around.catalog == nullptr) return false;
        return is_half_of_use(around.repository, *around.catalog, around.name, id);
    };
    const bool of_use = co_await async::run_blocking(around.pool, look);
    if (of_use) co_return false;
    co_return co_await remove_half(around.target, id, stop);
}

// Enters what failed with a set; whether the others are tried.
bool go_on(RemotePruned& pruned, const model::SetId& id, const std::exception_ptr& failure,
           const async::StopToken& stop) {
    const auto error = base::to_error(failure);
    if (stop.stopped() || ends_all(error))
        pruned.ended = error;
    else
        pruned.failures.push_back(fmt::format("{}: {}", id.text(), error.message()));
    return !pruned.ended;
}

}  // namespace

asio::awaitable<RemotePruned> apply_remote(Retention around, RemotePlan plan, async::StopToken stop) {
    RemotePruned pruned;
    for (auto& decision : plan.decisions) {
        if (decision.keep) continue;
        const auto id = decision.id;
        bool gone = false;
        std::exception_ptr failure;
        std::optional<target::Refusal> refused;
        try {
            refused = co_await delete_one(around, id, gone, stop);
        } catch (...) {
            failure = std::current_exception();
        }
        if (refused)
            pruned.retained.push_back(fmt::format("{}: {}", id.text(), refused->error.message()));
        else if (!failure || gone)  // what is left of one that is gone is swept
            pruned.deleted.push_back(std::move(decision));
        if (failure && !go_on(pruned, id, failure, stop)) co_return pruned;
    }
    for (const auto& id : plan.stale) {
        std::exception_ptr failure;
        bool removed = false;
        try {
            removed = co_await sweep_one(around, id, stop);
        } catch (...) {
            failure = std::current_exception();
        }
        if (removed) ++pruned.swept;
        if (failure && !go_on(pruned, id, failure, stop)) co_return pruned;
    }
    co_return pruned;
}

}  // namespace pgbakd::offsite
