// rescan --from: what a target has, entered into the catalog.
#include <fmt/format.h>

#include "admin/configuration.hpp"
#include "admin/output.hpp"
#include "admin/remote.hpp"
#include "admin/verbs.hpp"
#include "catalog/catalog.hpp"
#include "model/json.hpp"
#include "offsite/backlog.hpp"
#include "offsite/remote_sets.hpp"

namespace pgbakd::admin {

ExitCode rescan_target(Context& context, const config::Config& config, const std::string& from) {
    const auto secrets = read_target_secrets(context, config);
    become_owner_of(config.repository.directory);
    std::vector<model::BackupSet> sets;
    std::size_t broken = 0;
    ask_target(context, config, secrets, from,
               [&](RemoteAccess access, async::StopToken stop) -> asio::awaitable<void> {
                   const auto found = co_await offsite::remote_sets(access.target, std::nullopt, stop);
                   for (const auto& set : found) {
                       if (!set.exists) continue;
                       std::optional<base::Error> unreadable;
                       try {
                           auto manifest = co_await offsite::remote_manifest(access.target, set.id, stop);
                           sets.push_back(std::move(manifest));
                       } catch (const base::Error& error) {
                           unreadable = error;
                       }
                       if (!unreadable) continue;
                       if (unreadable->is_passing()) throw base::Error(*unreadable);
                       ++broken;
                       remark(context, {base::ErrorCode::corrupt, set.id.text() + ": " + unreadable->message()});
                   }
               });
    const auto now = context.around.clock.now();
    const auto catalog = catalog::Catalog::open(config.state_file(), now);
    std::vector<catalog::Copy> copies;
    for (const auto& set : sets) {
        auto copy = offsite::owed_copy(from, set, now);
        copy.owed = false;
        copies.push_back(std::move(copy));
    }
    catalog->put_copies(copies);
    const auto runs = catalog->add_runs(sets);
    if (context.json)
        print_json(context, boost::json::object{{"sets", sets.size()}, {"broken", broken}, {"runs_added", runs}});
    else
        context.out << fmt::format("{} found on {}, {} added to the history\n", counted(sets.size(), "set"), from,
                                   counted(runs, "run"));
    return ExitCode::good;
}

}  // namespace pgbakd::admin
