#include "admin/sets.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <set>
#include <utility>

#include "base/text.hpp"
#include "model/json.hpp"
#include "run/prune.hpp"

namespace pgbakd::admin {

std::unique_ptr<catalog::Catalog> open_history(Context& context, const config::Config& config) {
    try {
        return catalog::Catalog::open_for_reading(config.state_file());
    } catch (const base::Error& error) {
        remark(context,
               {error.code(), "what checks after the runs found is not known: " + error.message(), error.hint()});
        return nullptr;
    }
}

model::Verification ShownSet::verified() const {
    if (stored.corrupt || (state && state->corrupt)) return model::Verification::none;
    const auto level = stored.manifest.verified();
    return state ? std::max(level, state->verified) : level;
}

std::string ShownSet::fault() const {
    if (stored.unreadable && !stored.manifest_damaged) return "cannot be read: " + stored.problem;
    if (!stored.problem.empty()) return "corrupt: " + stored.problem;
    if (stored.corrupt) return "corrupt: " + stored.corrupt->message;
    if (state && state->corrupt) return "corrupt: " + state->message;
    if (stored.manifest.complete) return {};
    if (stored.manifest.missing.empty()) return "incomplete";
    std::vector<std::string> names;
    for (const auto& part : stored.manifest.missing)
        names.push_back(part.database.empty() ? std::string("globals") : part.database);
    return "incomplete: without " + base::join(names, ", ");
}

std::uint64_t ShownSet::bytes() const {
    return local || copies.empty() ? stored.manifest.bytes() : copies.front().bytes;
}

std::string ShownSet::keep_reason() const {
    if (!local && !copies.empty() && !copies.front().host.empty())
        return "made by " + copies.front().host + ", which prunes its own";
    if (!local) return "no longer local; each target keeps it by its own rules";
    return decision ? decision->reason : std::string(kept_without_job);
}

namespace {

// A set as the catalog knows it from its copies: its manifest is on the targets.
ShownSet only_elsewhere(std::vector<catalog::Copy> copies) {
    const auto& first = copies.front();
    ShownSet shown;
    shown.local = false;
    auto& manifest = shown.stored.manifest;
    manifest.id = first.id;
    manifest.started_at = first.started_at;
    manifest.complete = first.complete;
    manifest.milestone = first.milestone;
    shown.state = catalog::SetState{first.id, first.verified, first.since, false, {}};
    shown.copies = std::move(copies);
    return shown;
}

}  // namespace

std::vector<ShownSet> shown_sets(Context& context, const config::Config& config,
                                 const std::optional<std::string>& job) {
    const repository::Repository repository(config.repository.directory);
    auto stored = repository.sets(job);
    std::map<model::SetId, catalog::SetState> states;
    const auto history = open_history(context, config);
    const auto facts = run::set_facts(history.get());
    for (const auto& state : facts.states) states.emplace(state.id, state);
    std::map<model::SetId, std::vector<catalog::Copy>> copies;
    if (history)
        for (auto& copy : history->copies(job)) copies[copy.id].push_back(std::move(copy));

    std::map<std::string, std::vector<retention::Candidate>> by_job;
    for (auto& candidate : run::candidates(stored, facts)) by_job[candidate.id.job].push_back(std::move(candidate));
    std::map<model::SetId, retention::Decision> decisions;
    for (auto& [name, candidates] : by_job) {
        const auto spec = config.job(name);
        if (!spec) continue;
        for (auto& decision :
             retention::plan(std::move(candidates), spec->local_retention, context.around.clock.now(), *spec->zone))
            decisions.emplace(decision.id, std::move(decision));
    }
    std::vector<ShownSet> result;
    result.reserve(stored.size());
    for (auto& set : stored) {
        ShownSet shown;
        if (const auto state = states.find(set.manifest.id); state != states.end()) shown.state = state->second;
        if (const auto decision = decisions.find(set.manifest.id); decision != decisions.end())
            shown.decision = decision->second;
        if (const auto found = copies.find(set.manifest.id); found != copies.end()) {
            shown.copies = std::move(found->second);
            copies.erase(found);
            // Another host's of the same name is none of this set.
            std::erase_if(shown.copies, [](const auto& copy) { return !copy.host.empty(); });
        }
        shown.stored = std::move(set);
        result.push_back(std::move(shown));
    }
    for (auto& [id, elsewhere] : copies) {
        std::erase_if(elsewhere, [](const auto& copy) { return copy.owed; });
        if (!elsewhere.empty()) result.push_back(only_elsewhere(std::move(elsewhere)));
    }
    std::stable_sort(result.begin(), result.end(), [](const auto& a, const auto& b) {
        return a.stored.manifest.started_at > b.stored.manifest.started_at;
    });
    return result;
}

boost::json::object json_shown_set(const ShownSet& set) {
    auto object = model::json_set(set.stored.manifest);
    object["verified"] = model::verification_text(set.verified());
    object["proof"] = set.verified() == model::Verification::proven ? "proven" : "unproven";
    object["pinned"] = set.stored.pinned;
    object["corrupt"] = set.fault().starts_with("corrupt");
    object["problem"] = model::json_text_or_null(set.fault());
    object["size_bytes"] = set.bytes();
    boost::json::array copies;
    if (set.local) copies.push_back({{"place", "local"}, {"complete", set.stored.problem.empty()}});
    for (const auto& copy : set.copies)
        copies.push_back(
            {{"place", copy.target}, {"complete", !copy.owed}, {"verified", model::json_text_or_null(copy.assurance)}});
    object["copies"] = std::move(copies);
    object["keep"] = !set.decision || set.decision->keep;
    object["keep_reason"] = model::json_text(set.keep_reason());
    return object;
}

calendar::ZonePtr zone_of(Context& context, const config::Config& config, const model::BackupSet& set) {
    if (const auto job = config.job(set.id.job)) return job->zone;
    if (!set.timezone.empty())
        if (const auto zone = context.around.zones.find(set.timezone)) return *zone;
    return calendar::Zone::utc();
}

repository::StoredSet find_set(Context& context, const config::Config& config, const std::string& text) {
    const auto id = model::SetId::parse(text);
    if (!id) throw Failure(ExitCode::usage, id.error());
    const repository::Repository repository(config.repository.directory);
    if (id->set != "latest") return repository.find(*id);
    // The catalog may know of a finding that could not be left with the set.
    std::set<model::SetId> corrupt;
    for (const auto& state : run::set_facts(open_history(context, config).get()).states)
        if (state.corrupt) corrupt.insert(state.id);
    auto newest = repository.newest(id->job, context.around.clock.now(), [&corrupt](const auto& candidate) {
        return !corrupt.contains(candidate.manifest.id);
    });
    if (newest) return std::move(*newest);
    throw repository.no_newest(id->job);
}

PlacedSet place_set(Context& context, const config::Config& config, const std::string& text) {
    PlacedSet placed;
    std::optional<base::Error> not_here;
    try {
        placed.stored = find_set(context, config, text);
        placed.id = placed.stored->manifest.id;
    } catch (const base::Error& error) {
        if (error.code() != base::ErrorCode::not_found) throw;
        not_here = error;
    }
    const auto history = open_history(context, config);
    const auto asked = model::SetId::parse(text).value();
    if (asked.set == "latest") {
        const auto now = context.around.clock.now();
        const auto newest = history ? history->newest_copy(asked.job, now) : std::nullopt;
        // What a clock ahead has dated comes behind all others, here as there.
        const auto order = [now](base::Timestamp started_at) { return std::pair(started_at <= now, started_at); };
        if (newest && (!placed.stored || order(placed.stored->manifest.started_at) < order(newest->started_at))) {
            placed.id = newest->id;
            placed.stored.reset();
        }
    } else {
        placed.id = asked;
    }
    if (history) placed.copies = history->copies_of(placed.id);
    std::erase_if(placed.copies, [](const auto& copy) { return copy.owed; });
    if (!placed.stored && placed.copies.empty()) throw base::Error(*not_here);
    return placed;
}

os::FileLock lock_job(const repository::Repository& repository, const std::string& job, const std::string& what) {
    auto lock = repository.lock_job(job, fmt::format("pgbakctl {} (process {})", what, getpid()));
    if (lock) return std::move(*lock);
    throw Failure(ExitCode::busy,
                  {base::ErrorCode::conflict, fmt::format("job {} is held by {}", job, repository.lock_holder(job)),
                   "try again when it has ended; pgbakctl status shows what runs"});
}

}  // namespace pgbakd::admin
