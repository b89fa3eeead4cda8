// show: one set's manifest, readably.
#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "admin/configuration.hpp"
#include "admin/remote.hpp"
#include "admin/remote_sets.hpp"
#include "admin/sets.hpp"
#include "admin/table.hpp"
#include "admin/verbs.hpp"
#include "base/text.hpp"
#include "base/units.hpp"
#include "model/json.hpp"
#include "offsite/backlog.hpp"
#include "offsite/keys.hpp"
#include "offsite/remote_sets.hpp"

namespace pgbakd::admin {
namespace {

class Printer {
  public:
    explicit Printer(Context& context) : context_(context) {}

    // A fact; nothing for an empty one.
    void fact(std::string_view name, const std::string& value, Style style = Style::plain) {
        if (value.empty()) return;
        context_.out << fmt::format("{:<14}{}\n", name, styled(base::printable(value), style, context_.colour));
    }
    void heading(std::string_view text) {
        context_.out << '\n' << styled(text, Style::strong, context_.colour) << '\n';
    }
    void line(const std::string& text) { context_.out << "  " << base::printable(text) << '\n'; }
    void table(const Table& table) { table.print(context_.out, context_.colour); }

  private:
    Context& context_;
};

// Of no database, but of all of them.
bool is_of_cluster(const model::Artifact& artifact) {
    return artifact.kind == "globals" || artifact.kind == "base" || artifact.kind == "tablespace" ||
           artifact.kind == "manifest";
}

void print_artifacts(Printer& printer, const model::BackupSet& set) {
    Table table(
        {{"FILE"}, {"DATABASE"}, {"FORMAT"}, {"SIZE", true}, {"RAW", true}, {"COMPRESSION"}, {"VERIFIED"}, {"SHA256"}});
    for (const auto& artifact : set.artifacts)
        table.add({{artifact.file},
                   {is_of_cluster(artifact) ? "(" + artifact.kind + ")" : artifact.database},
                   {artifact.format},
                   {base::format_size(artifact.bytes)},
                   {base::format_size(artifact.raw_bytes)},
                   {artifact.compression},
                   {std::string(model::verification_text(artifact.verified))},
                   {artifact.sha256}});
    printer.heading("artifacts");
    printer.table(table);
}

void print_databases(Printer& printer, const model::BackupSet& set) {
    if (set.databases.empty()) return;
    Table table({{"DATABASE"},
                 {"TABLES COUNTED", true},
                 {"ROWS", true},
                 {"ENCODING"},
                 {"COLLATION"},
                 {"WAL AT"},
                 {"EXTENSIONS"}});
    for (const auto& facts : set.databases) {
        const auto rows = std::accumulate(facts.fingerprint.begin(), facts.fingerprint.end(), std::uint64_t{0},
                                          [](auto sum, const auto& count) { return sum + count.rows; });
        const auto told = facts.fingerprinted ? std::optional(rows) : facts.rows;
        table.add({{facts.database},
                   {facts.fingerprinted ? std::to_string(facts.fingerprint.size()) : "not counted"},
                   {told ? std::to_string(*told) : ""},
                   {facts.encoding},
                   {facts.collation},
                   {facts.snapshot_lsn},
                   {base::join(facts.extensions, ", ")}});
    }
    printer.heading("databases");
    printer.table(table);
}

void print_cluster(Printer& printer, const model::BackupSet& set) {
    if (!set.source.base_backup) return;
    const auto& facts = *set.source.base_backup;
    printer.fact("WAL", fmt::format("from {} on timeline {} to {} on timeline {}", facts.start_lsn,
                                    facts.start_timeline, facts.end_lsn, facts.end_timeline));
    for (const auto& tablespace : facts.tablespaces)
        printer.fact("tablespace",
                     fmt::format("{} {}, was in {}", tablespace.oid, tablespace.name, tablespace.location));
}

void print(Context& context, const config::Config& config, const ShownSet& shown) {
    const auto& set = shown.stored.manifest;
    const auto zone = zone_of(context, config, set);
    Printer printer(context);
    printer.fact("set", set.id.text(), Style::strong);
    const auto fault = shown.fault();
    if (!fault.empty()) printer.fact("wrong", fault, Style::bad);
    if (shown.local) printer.fact("directory", shown.stored.directory.string());
    if (!shown.local) printer.fact("target", shown.copies.front().target);
    printer.fact("started", calendar::format_for_people(base::to_instant(set.started_at), *zone));
    if (set.finished_at > set.started_at) printer.fact("took", base::format_duration(set.finished_at - set.started_at));
    printer.fact("size", base::format_size(set.bytes()));
    printer.fact("verified", std::string(model::verification_text(shown.verified())));
    printer.fact("kept", shown.decision && !shown.decision->keep ? "next prune deletes it: " + shown.keep_reason()
                                                                 : shown.keep_reason());
    if (shown.stored.pinned) printer.fact("pinned", "yes");
    printer.fact("milestone", set.milestone);
    printer.fact("run", set.run.text() + (set.trigger.empty() ? "" : " (" + set.trigger + ")"));
    const std::string product = set.source.type == "taosdump" ? "TDengine" : "PostgreSQL";
    printer.fact("server", set.source.server + (set.source.server_version.empty()
                                                    ? ""
                                                    : fmt::format(", {} {}", product, set.source.server_version)));
    printer.fact("client", set.source.client_version);
    printer.fact("cluster", set.source.system_identifier);
    print_cluster(printer, set);
    printer.fact("host", set.host);
    for (const auto& part : set.missing)
        printer.fact("missing", (part.database.empty() ? "globals" : part.database) + ": " + part.reason,
                     Style::warning);
    if (!set.artifacts.empty()) print_artifacts(printer, set);
    print_databases(printer, set);
    if (set.stock_restore.empty()) return;
    const auto place = shown.local ? shown.stored.directory.string() : "the directory where it was downloaded";
    printer.heading("restore without pgbakd, in " + place);
    for (const auto& command : set.stock_restore) printer.line(command);
}

void show(Context& context, const config::Config& config, const ShownSet& set) {
    if (!context.json) {
        print(context, config, set);
        return;
    }
    auto object = model::json_manifest(set.stored.manifest);
    const auto more = json_shown_set(set);
    object["directory"] = model::json_text_or_null(set.stored.directory.string());
    for (const auto* key : {"verified", "proof", "pinned", "corrupt", "problem", "copies", "keep", "keep_reason"})
        object[key] = more.at(key);
    print_json(context, object);
}

// One of a target: its manifest is read there.
ExitCode show_copy(Context& context, const config::Config& config, const model::SetId& id, const std::string& from) {
    ShownSet shown;
    const auto secrets = read_target_secrets(context, config);
    ask_target(context, config, secrets, from,
               [&](RemoteAccess access, async::StopToken stop) -> asio::awaitable<void> {
                   shown.stored.manifest = co_await find_remote_set(context, access.target, id, stop);
                   const auto& found = shown.stored.manifest.id;
                   shown.stored.corrupt = co_await offsite::remote_corruption(access.target, found, stop);
                   const auto pin = offsite::key_of(found, offsite::pin_file);
                   const auto pinned = co_await access.target.stat(pin, target::Detail::plain, stop);
                   shown.stored.pinned = pinned.has_value();
               });
    shown.local = false;
    auto copy = offsite::owed_copy(from, shown.stored.manifest, shown.stored.manifest.finished_at);
    copy.owed = false;
    shown.copies.push_back(std::move(copy));
    show(context, config, shown);
    return ExitCode::good;
}

}  // namespace

ExitCode perform_show(Context& context, const Arguments& arguments) {
    const auto config = load(context);
    const auto& text = arguments.text("SET");
    if (const auto from = arguments.find("--from")) {
        const auto id = model::SetId::parse(text);
        if (!id) throw Failure(ExitCode::usage, id.error());
        return show_copy(context, *config, *id, *from);
    }
    const auto wanted = place_set(context, *config, text);
    if (!wanted.stored) {
        const auto there = std::find_if(wanted.copies.begin(), wanted.copies.end(),
                                        [&](const auto& copy) { return config->targets.contains(copy.target); });
        if (there == wanted.copies.end())
            throw base::Error(base::ErrorCode::not_found,
                              fmt::format("{} is on {} alone, which is not in the configuration", wanted.id.text(),
                                          wanted.copies.front().target));
        return show_copy(context, *config, wanted.id, there->target);
    }
    // All sets of the job, since why one is kept depends on the others.
    for (auto& set : shown_sets(context, *config, wanted.id.job)) {
        if (set.stored.manifest.id != wanted.id) continue;
        set.stored = *wanted.stored;
        show(context, *config, set);
        return ExitCode::good;
    }
    throw base::Error(base::ErrorCode::not_found,
                      fmt::format("{} was removed while it was looked at", wanted.id.text()));
}

}  // namespace pgbakd::admin
