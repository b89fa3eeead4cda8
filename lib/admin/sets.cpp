#include "admin/sets.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
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
    if (state && state->corrupt) return model::Verification::none;
    const auto level = stored.manifest.verified();
    return state ? std::max(level, state->verified) : level;
}

std::string ShownSet::fault() const {
    if (stored.unreadable && !stored.manifest_damaged) return "cannot be read: " + stored.problem;
    if (!stored.problem.empty()) return "corrupt: " + stored.problem;
    if (state && state->corrupt) return "corrupt: " + state->message;
    if (stored.manifest.complete) return {};
    std::vector<std::string> names;
    for (const auto& part : stored.manifest.missing)
        names.push_back(part.database.empty() ? std::string("globals") : part.database);
    return "incomplete: without " + base::join(names, ", ");
}

std::string ShownSet::keep_reason() const {
    return decision ? decision->reason : "its job is not in the configuration: nothing deletes it";
}

std::vector<ShownSet> shown_sets(Context& context, const config::Config& config,
                                 const std::optional<std::string>& job) {
    const repository::Repository repository(config.repository.directory);
    auto stored = repository.sets(job);
    std::map<model::SetId, catalog::SetState> states;
    std::vector<catalog::SetState> found;
    if (const auto history = open_history(context, config)) found = history->set_states();
    for (const auto& state : found) states.emplace(state.id, state);

    std::map<std::string, std::vector<retention::Candidate>> by_job;
    for (auto& candidate : run::candidates(stored, found)) by_job[candidate.id.job].push_back(std::move(candidate));
    std::map<model::SetId, retention::Decision> decisions;
    for (auto& [name, candidates] : by_job) {
        const auto spec = config.job(name);
        if (!spec) continue;
        for (auto& decision : retention::plan(std::move(candidates), spec->local_retention, context.now(), *spec->zone))
            decisions.emplace(decision.id, std::move(decision));
    }
    std::vector<ShownSet> result;
    result.reserve(stored.size());
    for (auto& set : stored) {
        ShownSet shown;
        if (const auto state = states.find(set.manifest.id); state != states.end()) shown.state = state->second;
        if (const auto decision = decisions.find(set.manifest.id); decision != decisions.end())
            shown.decision = decision->second;
        shown.stored = std::move(set);
        result.push_back(std::move(shown));
    }
    return result;
}

boost::json::object json_shown_set(const ShownSet& set) {
    auto object = model::json_set(set.stored.manifest);
    object["verified"] = model::verification_text(set.verified());
    object["proof"] = set.verified() == model::Verification::proven ? "proven" : "unproven";
    object["pinned"] = set.stored.pinned;
    object["corrupt"] = set.fault().starts_with("corrupt");
    object["problem"] = model::json_text_or_null(set.fault());
    object["copies"] = {{{"place", "local"}, {"complete", set.stored.problem.empty()}}};
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

repository::StoredSet find_set(const config::Config& config, const std::string& text) {
    const auto id = model::SetId::parse(text);
    if (!id) throw Failure(ExitCode::usage, id.error());
    return repository::Repository(config.repository.directory).find(*id);
}

os::FileLock lock_job(const repository::Repository& repository, const std::string& job, const std::string& what) {
    auto lock = repository.lock_job(job, fmt::format("pgbakctl {} (process {})", what, getpid()));
    if (lock) return std::move(*lock);
    throw Failure(ExitCode::busy,
                  {base::ErrorCode::conflict, fmt::format("job {} is held by {}", job, repository.lock_holder(job)),
                   "try again when it has ended; pgbakctl status shows what runs"});
}

}  // namespace pgbakd::admin
