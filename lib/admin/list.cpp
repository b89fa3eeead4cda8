// list: the sets, and why each is kept.
#include <fmt/format.h>

#include <algorithm>

#include "admin/configuration.hpp"
#include "admin/remote.hpp"
#include "admin/sets.hpp"
#include "admin/table.hpp"
#include "admin/verbs.hpp"
#include "base/text.hpp"
#include "base/units.hpp"
#include "offsite/remote_sets.hpp"
#include "repository/names.hpp"

namespace pgbakd::admin {
namespace {

bool holds_database(const ShownSet& set, const std::string& database) {
    const auto& artifacts = set.stored.manifest.artifacts;
    return std::any_of(artifacts.begin(), artifacts.end(),
                       [&database](const auto& artifact) { return artifact.database == database; });
}

// JOB or DATABASE. Many a job is named after its database, and others dump that one too: sets of both are meant.
std::vector<ShownSet> select(Context& context, const config::Config& config, const std::optional<std::string>& name) {
    auto sets = shown_sets(context, config, std::nullopt);
    if (!name) return sets;
    std::vector<std::string> known;
    for (const auto& job : config.jobs) known.push_back(job->name);
    for (const auto& set : sets)
        for (const auto& artifact : set.stored.manifest.artifacts) known.push_back(artifact.database);
    std::erase_if(sets, [&name](const ShownSet& set) {
        return set.stored.manifest.id.job != *name && !holds_database(set, *name);
    });
    if (!sets.empty() || config.job(*name)) return sets;
    const auto near = base::closest(*name, known);
    throw base::Error(
        base::ErrorCode::not_found,
        fmt::format("\"{}\" is neither a job nor a database in any set", base::printable(base::clamp_utf8(*name, 100))),
        near ? fmt::format("did you mean {}?", *near) : "pgbakctl list shows all sets");
}

// Jobs in the configuration's order, those no longer in it behind; the newest set of each first.
void group_by_job(const config::Config& config, std::vector<ShownSet>& sets) {
    std::map<std::string, std::size_t> order;
    for (const auto& job : config.jobs) order.emplace(job->name, order.size());
    const auto rank = [&order](const ShownSet& set) {
        const auto& job = set.stored.manifest.id.job;
        const auto found = order.find(job);
        return std::pair(found == order.end() ? order.size() : found->second, job);
    };
    std::stable_sort(sets.begin(), sets.end(), [&rank](const auto& a, const auto& b) { return rank(a) < rank(b); });
}

Cell state_cell(const ShownSet& set) {
    const auto fault = set.fault();
    if (fault.starts_with("corrupt")) return {"corrupt", Style::bad};
    if (fault.starts_with("cannot be read")) return {"unreadable", Style::bad};
    if (!fault.empty()) return {"incomplete", Style::warning};
    return {std::string(model::verification_text(set.verified())),
            set.verified() >= model::Verification::decoded ? Style::good : Style::plain};
}

// "local, r2, nas owed"
std::string places_text(const ShownSet& set) {
    std::vector<std::string> places;
    if (set.local) places.emplace_back("local");
    for (const auto& copy : set.copies) places.push_back(copy.owed ? copy.target + " owed" : copy.target);
    return base::join(places, ", ");
}

std::string kept_text(const ShownSet& set) {
    auto text = set.keep_reason();
    if (set.decision && !set.decision->keep) text = "next prune deletes it: " + text;
    const auto fault = set.fault();
    return fault.empty() ? text : fault + "; " + text;
}

void print(Context& context, const config::Config& config, std::vector<ShownSet> sets) {
    if (sets.empty()) {
        context.out << "no backup sets\n";
        return;
    }
    group_by_job(config, sets);
    Table table({{"SET"}, {"STARTED"}, {"SIZE", true}, {"STATE"}, {"PROOF"}, {"COPIES"}, {"PINNED"}, {"KEPT"}});
    std::uint64_t bytes = 0;
    for (const auto& set : sets) {
        const auto& manifest = set.stored.manifest;
        bytes += set.bytes();
        const auto zone = zone_of(context, config, manifest);
        table.add({{manifest.id.text()},
                   {calendar::format_for_people(base::to_instant(manifest.started_at), *zone)},
                   {base::format_size(set.bytes())},
                   state_cell(set),
                   {set.verified() == model::Verification::proven ? "proven" : ""},
                   {places_text(set)},
                   {set.stored.pinned ? "pinned" : ""},
                   {kept_text(set)}});
    }
    table.print(context.out, context.colour);
    context.out << counted(sets.size(), "set") << ", " << base::format_size(bytes) << '\n';
}

// One whose manifest cannot be read hides no other.
asio::awaitable<ShownSet> read_remote(target::Target& target, offsite::RemoteSet found, async::StopToken stop) {
    ShownSet shown;
    std::optional<base::Error> unreadable;
    try {
        shown.stored.manifest = co_await offsite::remote_manifest(target, found.id, stop);
    } catch (const base::Error& error) {
        unreadable = error;
    }
    stop.check();
    if (unreadable && unreadable->is_passing()) throw base::Error(*unreadable);
    if (unreadable) {
        shown.stored.manifest.id = found.id;
        shown.stored.manifest.started_at = base::Timestamp(repository::time_in_name(found.id.set));
        shown.stored.manifest.complete = false;
        shown.stored.problem = unreadable->message();
        shown.stored.unreadable = true;
    }
    shown.stored.pinned = found.pinned;
    if (found.corrupt) shown.stored.corrupt = co_await offsite::remote_corruption(target, found.id, stop);
    co_return shown;
}

// What a target has, asked of the target: needs nothing but the configuration.
ExitCode list_remote(Context& context, const config::Config& config, const std::string& from,
                     const std::optional<std::string>& name) {
    std::vector<ShownSet> sets;
    const auto secrets = read_target_secrets(context, config);
    ask_target(context, config, secrets, from,
               [&](RemoteAccess access, async::StopToken stop) -> asio::awaitable<void> {
                   const auto job = name && config.job(*name) ? name : std::nullopt;
                   for (const auto& found : co_await offsite::remote_sets(access.target, job, stop)) {
                       if (!found.exists) continue;
                       auto shown = co_await read_remote(access.target, found, stop);
                       sets.push_back(std::move(shown));
                   }
               });
    if (name && !config.job(*name))
        std::erase_if(sets, [&name](const auto& set) {
            return set.stored.manifest.id.job != *name && !holds_database(set, *name);
        });
    std::reverse(sets.begin(), sets.end());
    if (context.json) {
        boost::json::array list;
        for (const auto& set : sets) {
            auto object = model::json_set(set.stored.manifest);
            object["pinned"] = set.stored.pinned;
            object["corrupt"] = set.fault().starts_with("corrupt");
            object["problem"] = model::json_text_or_null(set.fault());
            object["copies"] = {{{"place", from}, {"complete", true}}};
            list.push_back(std::move(object));
        }
        print_json(context, boost::json::object{{"sets", std::move(list)}});
        return ExitCode::good;
    }
    if (sets.empty()) {
        context.out << "no backup sets on " << from << '\n';
        return ExitCode::good;
    }
    group_by_job(config, sets);
    Table table({{"SET"}, {"STARTED"}, {"SIZE", true}, {"STATE"}, {"DATABASES"}, {"PINNED"}});
    for (const auto& set : sets) {
        const auto& manifest = set.stored.manifest;
        const auto zone = zone_of(context, config, manifest);
        table.add({{manifest.id.text()},
                   {calendar::format_for_people(base::to_instant(manifest.started_at), *zone)},
                   {base::format_size(manifest.bytes())},
                   state_cell(set),
                   {base::join(manifest.source.databases, ", ")},
                   {set.stored.pinned ? "pinned" : ""}});
    }
    table.print(context.out, context.colour);
    context.out << counted(sets.size(), "set") << " on " << from << '\n';
    return ExitCode::good;
}

}  // namespace

ExitCode perform_list(Context& context, const Arguments& arguments) {
    const auto config = load(context);
    if (const auto from = arguments.find("--from")) return list_remote(context, *config, *from, arguments.find("JOB"));
    auto sets = select(context, *config, arguments.find("JOB"));
    if (context.json) {
        boost::json::array list;
        for (const auto& set : sets) list.push_back(json_shown_set(set));
        print_json(context, boost::json::object{{"sets", std::move(list)}});
    } else {
        print(context, *config, std::move(sets));
    }
    return ExitCode::good;
}

}  // namespace pgbakd::admin
