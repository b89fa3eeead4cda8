// pin, unpin: a set that retention leaves alone. rescan: the catalog from the repository.
#include <fmt/format.h>

#include "admin/configuration.hpp"
#include "admin/remote.hpp"
#include "admin/sets.hpp"
#include "admin/verbs.hpp"
#include "base/text.hpp"
#include "holdings/corruption.hpp"
#include "holdings/identity.hpp"
#include "host/identity.hpp"
#include "model/json.hpp"
#include "offsite/keys.hpp"
#include "offsite/remote_sets.hpp"
#include "os/file.hpp"

namespace pgbakd::admin {
namespace {

// In every place where the set is: each place's retention looks at its own mark.
ExitCode set_pinned(Context& context, const std::string& name, bool pinned) {
    const auto config = load(context);
    const auto secrets = read_target_secrets(context, *config);
    become_owner_of(config->repository.directory);
    const auto set = place_set(context, *config, name);
    const repository::Repository repository(config->repository.directory);
    // A run of the job may be pruning right now, by a plan made before.
    const auto lock = lock_job(repository, set.id.job, pinned ? "pin" : "unpin");
    const std::string text = "pinned\n";
    std::vector<std::string> places;
    if (set.stored) {
        repository.pin(set.id, pinned);
        places.emplace_back("local");
    }
    auto code = ExitCode::good;
    for (const auto& copy : set.copies) {
        if (!config->targets.contains(copy.target)) continue;
        try {
            ask_target(context, *config, secrets, copy.target,
                       [&](RemoteAccess access, async::StopToken stop) -> asio::awaitable<void> {
                           if (pinned)
                               co_await offsite::put_mark(access.target, set.id, offsite::pin_file, text, stop);
                           else
                               co_await offsite::remove_mark(access.target, set.id, offsite::pin_file, stop);
                       });
            places.push_back(copy.target);
        } catch (const base::Error& error) {
            remark(context, error);
            code = ExitCode::failed;
        }
    }
    if (context.json) {
        boost::json::array where;
        for (const auto& place : places) where.push_back(model::json_text(place));
        print_json(context,
                   boost::json::object{
                       {"set", model::json_text(set.id.text())}, {"pinned", pinned}, {"places", std::move(where)}});
    } else if (!places.empty()) {
        const auto where = set.copies.empty() ? std::string() : fmt::format(" ({})", base::join(places, ", "));
        context.out << set.id.text() << (pinned ? " is pinned" : " is no longer pinned") << where << '\n';
    }
    return code;
}

// An empty repository beside a catalog that knows of sets is more often a file system that is not mounted than one
// where all of them were removed; to forget what checks found would then make good sets of corrupt ones.
void refuse_if_emptied(const config::Config& config, catalog::Catalog& catalog) {
    const auto known = catalog.set_states().size();
    if (known == 0 && catalog.last_success(base::Timestamp::max()).empty()) return;
    const auto& directory = config.repository.directory;
    throw base::Error(
        base::ErrorCode::conflict,
        fmt::format("the repository {} is empty, but the catalog knows of sets in it: nothing was changed",
                    directory.string()),
        fmt::format("is its file system mounted (findmnt --target {})? if all sets are gone for good, "
                    "there is nothing to rescan",
                    directory.string()));
}

// Whatever repository that was before: the catalog is about this one now.
void take_over(Context& context, const repository::Repository& repository, catalog::Catalog& catalog) {
    const auto before = holdings::identify(repository, catalog);
    try {
        holdings::take_over(repository, catalog,
                            holdings::new_identity(context.around.clock.now(), host::random_number));
    } catch (const base::Error& error) {
        remark(context, error.during("noting which repository this is"));
        return;
    }
    if (before.whose == holdings::Whose::another && !context.json)
        context.out << fmt::format("{}: it is from now on\n", before.what);
}

// The states of these sets are gone from the catalog, in words.
std::string dropped_text(const std::vector<model::SetId>& dropped) {
    std::string text;
    for (const auto& id : dropped)
        text += fmt::format("{} is gone: what a check had found of it is forgotten\n", id.text());
    return text;
}

}  // namespace

ExitCode perform_pin(Context& context, const Arguments& arguments) {
    return set_pinned(context, arguments.text("SET"), true);
}

ExitCode perform_unpin(Context& context, const Arguments& arguments) {
    return set_pinned(context, arguments.text("SET"), false);
}

ExitCode perform_rescan(Context& context, const Arguments& arguments) {
    const auto config = load(context);
    const auto adopt = arguments.find("--adopt");
    if (const auto from = arguments.find("--from")) return rescan_target(context, *config, *from, adopt);
    if (adopt) throw usage_error("--adopt needs --from", "what lies in the repository is this host's anyway");
    become_owner_of(config->repository.directory);
    // A repository that is not mounted right now must not empty the catalog.
    if (!os::target_status(config->repository.directory))
        throw base::Error(base::ErrorCode::not_found,
                          fmt::format("there is no repository at {}", config->repository.directory.string()),
                          "is its file system mounted? look at repository.directory");
    const auto stored = repository::Repository(config->repository.directory).sets();
    std::vector<model::BackupSet> sets;
    std::size_t broken = 0;
    for (const auto& set : stored) {
        sets.push_back(set.manifest);
        if (set.problem.empty()) continue;
        ++broken;
        remark(context, {base::ErrorCode::corrupt, set.manifest.id.text() + ": " + set.problem});
    }
    const auto catalog = catalog::Catalog::open(config->state_file(), context.around.clock.now());
    if (catalog->was_damaged())
        remark(context, {base::ErrorCode::corrupt,
                         fmt::format("{} was damaged and has been moved aside", config->state_file().string())});
    if (stored.empty()) refuse_if_emptied(*config, *catalog);
    take_over(context, repository::Repository(config->repository.directory), *catalog);
    for (const auto& failure :
         holdings::keep_findings(repository::Repository(config->repository.directory), *catalog).failures)
        remark(context, failure);
    const auto found = catalog->rescan(sets);
    if (context.json)
        print_json(context, boost::json::object{{"sets", found.sets},
                                                {"broken", broken},
                                                {"runs_added", found.runs_added},
                                                {"states_dropped", found.dropped.size()}});
    else
        context.out << dropped_text(found.dropped)
                    << fmt::format("{} found, {} added to the history\n", counted(found.sets, "set"),
                                   counted(found.runs_added, "run"));
    return ExitCode::good;
}

}  // namespace pgbakd::admin
