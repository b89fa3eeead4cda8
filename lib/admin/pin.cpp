// pin, unpin: a set that retention leaves alone. rescan: the catalog from the repository.
#include <fmt/format.h>

#include "admin/configuration.hpp"
#include "admin/sets.hpp"
#include "admin/verbs.hpp"
#include "model/json.hpp"
#include "os/file.hpp"

namespace pgbakd::admin {
namespace {

ExitCode set_pinned(Context& context, const std::string& target, bool pinned) {
    const auto config = load(context);
    become_owner_of(config->repository.directory);
    const auto id = find_set(*config, target).manifest.id;
    const repository::Repository repository(config->repository.directory);
    // A run of the job may be pruning right now, by a plan made before.
    const auto lock = lock_job(repository, id.job, pinned ? "pin" : "unpin");
    repository.pin(id, pinned);
    if (context.json)
        print_json(context, boost::json::object{{"set", model::json_text(id.text())}, {"pinned", pinned}});
    else
        context.out << id.text() << (pinned ? " is pinned\n" : " is no longer pinned\n");
    return ExitCode::good;
}

}  // namespace

ExitCode perform_pin(Context& context, const Arguments& arguments) {
    return set_pinned(context, arguments.text("SET"), true);
}

ExitCode perform_unpin(Context& context, const Arguments& arguments) {
    return set_pinned(context, arguments.text("SET"), false);
}

ExitCode perform_rescan(Context& context, const Arguments&) {
    const auto config = load(context);
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
    const auto found = catalog->rescan(sets);
    if (context.json)
        print_json(context, boost::json::object{{"sets", found.sets},
                                                {"broken", broken},
                                                {"runs_added", found.runs_added},
                                                {"states_dropped", found.states_dropped}});
    else
        context.out << fmt::format("{} found, {} added to the history\n", counted(found.sets, "set"),
                                   counted(found.runs_added, "run"));
    return ExitCode::good;
}

}  // namespace pgbakd::admin
