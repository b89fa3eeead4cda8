// rescan --from: what a target has, entered into the catalog.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "admin/configuration.hpp"
#include "admin/output.hpp"
#include "admin/remote.hpp"
#include "admin/verbs.hpp"
#include "catalog/catalog.hpp"
#include "host/identity.hpp"
#include "model/json.hpp"
#include "offsite/backlog.hpp"
#include "offsite/forgotten.hpp"
#include "offsite/remote_sets.hpp"
#include "offsite/retention.hpp"
#include "repository/repository.hpp"

namespace pgbakd::admin {
namespace {

struct FoundSets {
    std::map<model::SetId, offsite::RemoteSet> sets;
    std::vector<model::BackupSet> manifests;  // of those that can be read
};

asio::awaitable<void> find_sets(Context& context, target::Target& target, FoundSets& found, async::StopToken stop) {
    for (auto& set : co_await offsite::remote_sets(target, std::nullopt, stop))
        if (set.exists) found.sets.emplace(set.id, std::move(set));
    for (const auto& [id, set] : found.sets) {
        std::optional<base::Error> unreadable;
        try {
            auto manifest = co_await offsite::remote_manifest(target, id, stop);
            found.manifests.push_back(std::move(manifest));
        } catch (const base::Error& error) {
            unreadable = error;
        }
        if (!unreadable) continue;
        stop.check();
        if (unreadable->is_passing()) throw base::Error(*unreadable);
        remark(context, {base::ErrorCode::corrupt, id.text() + ": " + unreadable->message()});
    }
}

std::vector<catalog::Copy> known_there(catalog::Catalog& catalog, const std::string& target) {
    auto copies = catalog.copies();
    std::erase_if(copies, [&target](const auto& copy) { return copy.target != target || copy.owed; });
    return copies;
}

// A place without a set, of which the catalog knows some, is more often one that is not mounted, or not the right one.
[[noreturn]] void refuse_emptied(const std::string& from, std::size_t known) {
    throw base::Error(base::ErrorCode::conflict,
                      fmt::format("there is no set on {}, but the catalog knows of {} there: nothing was changed", from,
                                  counted(known, "set")),
                      "is it mounted, and are its path, bucket and prefix right? if the sets are gone for good, the "
                      "next prune finds it out");
}

// What is here too, and what this host takes over, is its own, whoever made it.
void claim_own(std::vector<catalog::Copy>& copies, const repository::Repository& repository,
               const std::optional<std::string>& adopt) {
    std::map<model::SetId, base::RunId> local;
    for (const auto& set : repository.sets()) local.emplace(set.manifest.id, set.manifest.run);
    for (auto& copy : copies) {
        const auto here = local.find(copy.id);
        const bool is_here = here != local.end() && !copy.run.empty() && here->second == copy.run;
        if (is_here || copy.host == adopt) copy.host.clear();
    }
}

// The sets of other hosts, by the hosts' names.
std::map<std::string, std::set<model::SetId>> sets_of_others(catalog::Catalog& catalog, const std::string& target) {
    std::map<std::string, std::set<model::SetId>> others;
    for (const auto& copy : known_there(catalog, target))
        if (!copy.host.empty()) others[copy.host].insert(copy.id);
    return others;
}

// What the target was to have and was never told of again: see offsite/forgotten.hpp. `gone` was there once, and was
// deleted by somebody else.
std::size_t owe_again(const config::Config& config, catalog::Catalog& catalog, const FoundSets& found,
                      const std::vector<catalog::Copy>& gone, const std::string& from, base::Timestamp now) {
    const repository::Repository repository(config.repository.directory);
    std::vector<catalog::Copy> owed;
    for (const auto& job : config.jobs) {
        if (std::find(job->targets.begin(), job->targets.end(), from) == job->targets.end()) continue;
        offsite::BothPlaces places{{}, repository.sets(job->name), catalog.corrupt_sets(job->name)};
        std::set<model::SetId> known;
        for (const auto& copy : catalog.copies(job->name)) {
            if (copy.target != from) continue;
            known.insert(copy.id);
            const auto set = found.sets.find(copy.id);
            places.there.push_back(offsite::candidate_of(copy, set != found.sets.end() && set->second.pinned));
            places.there.back().corrupt = set != found.sets.end() && set->second.corrupt;
        }
        for (const auto& [id, set] : found.sets)
            if (id.job == job->name && !known.contains(id))
                places.there.push_back(offsite::unknown_candidate(id, "it is damaged"));
        std::erase_if(places.here, [&gone](const auto& set) {
            return std::any_of(gone.begin(), gone.end(),
                               [&set](const auto& copy) { return copy.id == set.manifest.id; });
        });
        for (auto& copy : offsite::forgotten_copies(from, places, job->target_retention.at(from), now, *job->zone))
            owed.push_back(std::move(copy));
    }
    catalog.put_copies(owed);
    for (const auto& job : config.jobs)
        if (std::find(job->targets.begin(), job->targets.end(), from) != job->targets.end())
            catalog.put_asked(job->name, from);
    return owed.size();
}

}  // namespace

ExitCode rescan_target(Context& context, const config::Config& config, const std::string& from,
                       const std::optional<std::string>& adopt) {
    const auto secrets = read_target_secrets(context, config);
    become_owner_of(config.repository.directory);
    const auto now = context.around.clock.now();
    const auto catalog = catalog::Catalog::open(config.state_file(), now);
    // Before the listing: what comes there meanwhile is not gone.
    auto gone = known_there(*catalog, from);
    FoundSets found;
    ask_target(context, config, secrets, from,
               [&](RemoteAccess access, async::StopToken stop) -> asio::awaitable<void> {
                   co_await find_sets(context, access.target, found, stop);
               });
    if (found.sets.empty() && !gone.empty()) refuse_emptied(from, gone.size());
    std::erase_if(gone, [&found](const auto& copy) { return found.sets.contains(copy.id); });
    std::vector<catalog::Copy> there;
    for (const auto& manifest : found.manifests) {
        there.push_back(offsite::found_copy(from, manifest, now, host::host_name()));
        if (found.sets.at(manifest.id).corrupt) there.back().verified = model::Verification::none;
    }
    claim_own(there, repository::Repository(config.repository.directory), adopt);
    const auto forgotten = catalog->rescan_copies(there, gone);
    const auto others = sets_of_others(*catalog, from);
    // The history is that of this host's runs.
    auto own = found.manifests;
    for (const auto& [host, sets] : others)
        std::erase_if(own, [&sets = sets](const auto& set) { return sets.contains(set.id); });
    const auto runs = catalog->add_runs(own);
    const auto owed = owe_again(config, *catalog, found, gone, from, now);
    const auto broken = found.sets.size() - found.manifests.size();
    for (const auto& [host, sets] : others)
        remark(context,
               {base::ErrorCode::conflict,
                fmt::format("{} too has {} on {}, and prunes its own: left alone here, and counted for nothing", host,
                            counted(sets.size(), "set"), from),
                fmt::format("if this host has taken its place: pgbakctl rescan --from {} --adopt {}", from, host)});
    if (context.json)
        print_json(context, boost::json::object{{"sets", found.manifests.size()},
                                                {"broken", broken},
                                                {"forgotten", forgotten},
                                                {"runs_added", runs},
                                                {"owed_again", owed}});
    else
        context.out << fmt::format(
                           "{} found on {}{}, {} added to the history\n", counted(found.manifests.size(), "set"), from,
                           forgotten == 0 ? std::string() : fmt::format(", {} forgotten that are gone", forgotten),
                           counted(runs, "run"))
                    << (owed == 0 ? std::string()
                                  : fmt::format("{} lacks {} that its retention would keep: owed to it again; pgbakctl "
                                                "reload has what is owed sent at once, else the next run does\n",
                                                from, counted(owed, "set")));
    return ExitCode::good;
}

}  // namespace pgbakd::admin
