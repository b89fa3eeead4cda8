// show: one set's manifest, readably.
#include <fmt/format.h>

#include <numeric>

#include "admin/configuration.hpp"
#include "admin/sets.hpp"
#include "admin/table.hpp"
#include "admin/verbs.hpp"
#include "base/text.hpp"
#include "base/units.hpp"
#include "model/json.hpp"

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

void print_artifacts(Printer& printer, const model::BackupSet& set) {
    Table table(
        {{"FILE"}, {"DATABASE"}, {"FORMAT"}, {"SIZE", true}, {"RAW", true}, {"COMPRESSION"}, {"VERIFIED"}, {"SHA256"}});
    for (const auto& artifact : set.artifacts)
        table.add({{artifact.file},
                   {artifact.kind == "globals" ? "(globals)" : artifact.database},
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
        table.add({{facts.database},
                   {facts.fingerprinted ? std::to_string(facts.fingerprint.size()) : "not counted"},
                   {facts.fingerprinted ? std::to_string(rows) : ""},
                   {facts.encoding},
                   {facts.collation},
                   {facts.snapshot_lsn},
                   {base::join(facts.extensions, ", ")}});
    }
    printer.heading("databases");
    printer.table(table);
}

void print(Context& context, const config::Config& config, const ShownSet& shown) {
    const auto& set = shown.stored.manifest;
    const auto zone = zone_of(context, config, set);
    Printer printer(context);
    printer.fact("set", set.id.text(), Style::strong);
    const auto fault = shown.fault();
    if (!fault.empty()) printer.fact("wrong", fault, Style::bad);
    printer.fact("directory", shown.stored.directory.string());
    printer.fact("started", calendar::format_for_people(base::to_instant(set.started_at), *zone));
    if (set.finished_at > set.started_at) printer.fact("took", base::format_duration(set.finished_at - set.started_at));
    printer.fact("size", base::format_size(set.bytes()));
    printer.fact("verified", std::string(model::verification_text(shown.verified())));
    printer.fact("kept", shown.decision && !shown.decision->keep ? "next prune deletes it: " + shown.keep_reason()
                                                                 : shown.keep_reason());
    if (shown.stored.pinned) printer.fact("pinned", "yes");
    printer.fact("milestone", set.milestone);
    printer.fact("run", set.run.text() + (set.trigger.empty() ? "" : " (" + set.trigger + ")"));
    printer.fact("server", set.source.server +
                               (set.source.server_version.empty() ? "" : ", PostgreSQL " + set.source.server_version));
    printer.fact("client", set.source.client_version);
    printer.fact("cluster", set.source.system_identifier);
    printer.fact("host", set.host);
    for (const auto& part : set.missing)
        printer.fact("missing", (part.database.empty() ? "globals" : part.database) + ": " + part.reason,
                     Style::warning);
    if (!set.artifacts.empty()) print_artifacts(printer, set);
    print_databases(printer, set);
    if (set.stock_restore.empty()) return;
    printer.heading("restore without pgbakd, in " + shown.stored.directory.string());
    for (const auto& command : set.stock_restore) printer.line(command);
}

}  // namespace

ExitCode perform_show(Context& context, const Arguments& arguments) {
    const auto config = load(context);
    const auto wanted = find_set(context, *config, arguments.text("SET"));
    // All sets of the job, since why one is kept depends on the others.
    for (auto& set : shown_sets(context, *config, wanted.manifest.id.job)) {
        if (set.stored.manifest.id != wanted.manifest.id) continue;
        set.stored = wanted;
        if (context.json) {
            auto object = model::json_manifest(set.stored.manifest);
            const auto more = json_shown_set(set);
            object["directory"] = model::json_text(set.stored.directory.string());
            for (const auto* key :
                 {"verified", "proof", "pinned", "corrupt", "problem", "copies", "keep", "keep_reason"})
                object[key] = more.at(key);
            print_json(context, object);
        } else {
            print(context, *config, set);
        }
        return ExitCode::good;
    }
    throw base::Error(base::ErrorCode::not_found,
                      fmt::format("{} was removed while it was looked at", wanted.manifest.id.text()));
}

}  // namespace pgbakd::admin
