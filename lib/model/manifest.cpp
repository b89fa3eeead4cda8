// manifest.json: the keys of a backup set, printed and read back.
#include <fmt/format.h>

#include <limits>
#include <set>

#include "base/text.hpp"
#include "model/database_json.hpp"
#include "model/json.hpp"
#include "model/json_reader.hpp"

namespace pgbakd::model {
namespace {

using base::Error;
using base::ErrorCode;
namespace json = boost::json;

constexpr std::size_t largest = std::size_t{64} << 20U;

json::array json_texts(const std::vector<std::string>& texts) {
    json::array result;
    result.reserve(texts.size());
    for (const auto& text : texts) result.emplace_back(json_text(text));
    return result;
}

json::array json_missing(const BackupSet& set) {
    json::array result;
    for (const auto& part : set.missing)
        result.push_back({{"database", json_text(part.database)}, {"reason", json_text(part.reason)}});
    return result;
}

json::array json_artifacts(const BackupSet& set) {
    json::array result;
    for (const auto& artifact : set.artifacts) result.emplace_back(json_artifact(artifact));
    return result;
}

json::array json_databases(const BackupSet& set) {
    json::array result;
    for (const auto& facts : set.databases) result.emplace_back(json_database(facts));
    return result;
}

json::object json_base_backup(const BaseBackupFacts& facts) {
    json::array tablespaces;
    for (const auto& each : facts.tablespaces)
        tablespaces.push_back(
            {{"oid", each.oid}, {"name", json_text_or_null(each.name)}, {"location", json_text(each.location)}});
    return {{"start_lsn", json_text(facts.start_lsn)},
            {"start_timeline", facts.start_timeline},
            {"end_lsn", json_text(facts.end_lsn)},
            {"end_timeline", facts.end_timeline},
            {"tablespaces", std::move(tablespaces)}};
}

json::object json_source(const BackupSet::Source& source) {
    json::object result{{"type", json_text(source.type)},
                        {"server", json_text(source.server)},
                        {"databases", json_texts(source.databases)},
                        {"server_version", json_text(source.server_version)},
                        {"server_version_number", source.server_version_number},
                        {"client_version", json_text(source.client_version)},
                        {"system_identifier", json_text_or_null(source.system_identifier)}};
    if (source.base_backup) result["base_backup"] = json_base_backup(*source.base_backup);
    return result;
}

std::uint32_t read_id(const JsonReader& reader, std::string_view key) {
    const auto number = reader.count_or(key, 0);
    if (number > std::numeric_limits<std::uint32_t>::max()) reader.refuse(key, "is too large");
    return static_cast<std::uint32_t>(number);
}

BaseBackupFacts read_base_backup(const JsonReader& reader) {
    BaseBackupFacts facts;
    facts.start_lsn = reader.text_or_empty("start_lsn");
    facts.start_timeline = read_id(reader, "start_timeline");
    facts.end_lsn = reader.text_or_empty("end_lsn");
    facts.end_timeline = read_id(reader, "end_timeline");
    for (const auto& each : reader.objects("tablespaces"))
        facts.tablespaces.push_back({read_id(each, "oid"), each.text_or_empty("name"), each.text_or_empty("location")});
    return facts;
}

// As the clock on the wall showed it; in UTC where the zone's text is not known.
json::value local_time(const std::string& local, base::Timestamp time) {
    return local.empty() ? json_time(time) : json::value(json_text(local));
}

// `started_at` is what people read, `started_at_utc` the exact instant; the first alone serves too.
base::Timestamp read_time(const JsonReader& reader, std::string_view key, std::string& local) {
    const auto shown = reader.time_or_epoch(key);
    local = reader.text_or_empty(key);
    const auto exact = reader.time_or_epoch(std::string(key) + "_utc");
    return exact == base::Timestamp{} ? shown : exact;
}

void check_files(const JsonReader& reader, const BackupSet& set) {
    std::set<std::string_view> files;
    for (const auto& artifact : set.artifacts)
        if (!files.insert(artifact.file).second)
            reader.refuse("artifacts", fmt::format("\"{}\" is listed twice", artifact.file));
    for (const auto& file : set.restore_order)
        if (!files.contains(file))
            reader.refuse("restore_order", fmt::format("\"{}\" is no artifact of the set",
                                                       base::printable(base::clamp_utf8(file, 255))));
}

BackupSet read_manifest(const JsonReader& reader) {
    BackupSet set;
    const auto format = reader.text("format");
    if (format != manifest_format) {
        const auto shown = base::printable(base::clamp_utf8(format, 64));
        if (format.starts_with("pgbakd-set/"))
            throw Error(ErrorCode::unsupported,
                        fmt::format("the manifest has the format {}; known is {}", shown, manifest_format),
                        "use a newer pgbakd");
        reader.refuse("format", fmt::format("\"{}\" is no format of a manifest", shown));
    }
    set.id = reader.parsed("set", SetId::parse);
    if (set.id.set == "latest") reader.refuse("set", "\"latest\" names no set");
    if (reader.text("job") != set.id.job) reader.refuse("job", "differs from the job in \"set\"");
    if (!reader.text_or_empty("run").empty()) set.run = reader.parsed("run", base::RunId::parse);
    set.host = reader.text_or_empty("host");
    set.trigger = reader.text_or_empty("trigger");
    set.milestone = reader.text_or_empty("milestone");
    if (!reader.has("started_at")) reader.refuse("started_at", "is missing");
    set.started_at = read_time(reader, "started_at", set.started_at_local);
    set.finished_at = read_time(reader, "finished_at", set.finished_at_local);
    set.timezone = reader.text_or_empty("timezone");
    set.complete = reader.flag_or("complete", true);
    for (const auto& part : reader.objects("missing"))
        set.missing.push_back({part.text("database"), part.text_or_empty("reason")});

    const auto source = reader.object("source");
    set.source = {.type = source.text_or_empty("type"),
                  .server = source.text_or_empty("server"),
                  .databases = source.texts("databases"),
                  .server_version = source.text_or_empty("server_version"),
                  .server_version_number = source.integer_or("server_version_number", 0),
                  .client_version = source.text_or_empty("client_version"),
                  .system_identifier = source.text_or_empty("system_identifier")};
    if (source.has("base_backup")) set.source.base_backup = read_base_backup(source.object("base_backup"));
    set.recipients = reader.texts("recipients");
    if (!reader.has("artifacts")) reader.refuse("artifacts", "is missing");
    for (const auto& artifact : reader.objects("artifacts")) set.artifacts.push_back(read_artifact(artifact));
    for (const auto& facts : reader.objects("databases")) set.databases.push_back(read_database(facts));
    set.restore_order = reader.texts("restore_order");
    set.stock_restore = reader.texts("stock_restore");
    check_files(reader, set);

    const auto system = reader.object("system");
    set.system = {.hostname = system.text_or_empty("hostname"),
                  .user = system.text_or_empty("user"),
                  .pgbakd_version = system.text_or_empty("pgbakd_version")};
    return set;
}

}  // namespace

json::object json_set(const BackupSet& set) {
    return {{"set", json_text(set.id.text())},
            {"job", json_text(set.id.job)},
            {"run", json_text(set.run.text())},
            {"trigger", json_text(set.trigger)},
            {"started_at", json_time(set.started_at)},
            {"finished_at", json_time(set.finished_at)},
            {"size_bytes", set.bytes()},
            {"verified", verification_text(set.verified())},
            {"complete", set.complete},
            {"missing", json_missing(set)},
            {"milestone", json_text_or_null(set.milestone)},
            {"artifacts", json_artifacts(set)}};
}

json::object json_manifest(const BackupSet& set) {
    return {{"format", manifest_format},
            {"set", json_text(set.id.text())},
            {"job", json_text(set.id.job)},
            {"run", json_text(set.run.text())},
            {"host", json_text(set.host)},
            {"trigger", json_text(set.trigger)},
            {"milestone", json_text_or_null(set.milestone)},
            {"started_at", local_time(set.started_at_local, set.started_at)},
            {"started_at_utc", json_time(set.started_at)},
            {"finished_at", local_time(set.finished_at_local, set.finished_at)},
            {"finished_at_utc", json_time(set.finished_at)},
            {"timezone", json_text(set.timezone)},
            {"complete", set.complete},
            {"missing", json_missing(set)},
            {"source", json_source(set.source)},
            {"size_bytes", set.bytes()},
            {"recipients", json_texts(set.recipients)},
            {"artifacts", json_artifacts(set)},
            {"databases", json_databases(set)},
            {"restore_order", json_texts(set.restore_order)},
            {"stock_restore", json_texts(set.stock_restore)},
            {"system",
             {{"hostname", json_text(set.system.hostname)},
              {"user", json_text(set.system.user)},
              {"pgbakd_version", json_text(set.system.pgbakd_version)}}}};
}

std::string to_manifest(const BackupSet& set) {
    return pretty(json_manifest(set)) + "\n";
}

base::Result<BackupSet> parse_manifest(std::string_view text) {
    const auto value = parse_json(text, largest);
    if (!value) return value.error().during("manifest");
    try {
        return read_manifest(JsonReader(*value, "manifest"));
    } catch (const Error& error) {
        return error;
    }
}

}  // namespace pgbakd::model
