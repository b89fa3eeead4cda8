#include "model/database_json.hpp"

#include "model/json.hpp"

namespace pgbakd::model {
namespace {

namespace json = boost::json;

json::value json_fingerprint(const DatabaseFacts& facts) {
    if (!facts.fingerprinted) return nullptr;
    json::array result;
    result.reserve(facts.fingerprint.size());
    for (const auto& count : facts.fingerprint)
        result.push_back({{"schema", json_text(count.schema)}, {"name", json_text(count.table)}, {"rows", count.rows}});
    return result;
}

json::value json_privileges(const DatabaseProperties& properties) {
    if (!properties.privileges) return nullptr;
    json::array result;
    for (const auto& each : *properties.privileges)
        result.push_back({{"grantor", json_text(each.grantor)},
                          {"grantee", json_text_or_null(each.grantee)},
                          {"privilege", json_text(each.privilege)},
                          {"grantable", each.grantable}});
    return result;
}

json::value json_properties(const DatabaseFacts& facts) {
    if (!facts.properties) return nullptr;
    const auto& properties = *facts.properties;
    json::array settings;
    for (const auto& each : properties.settings)
        settings.push_back(
            {{"role", json_text_or_null(each.role)}, {"name", json_text(each.name)}, {"value", json_text(each.value)}});
    return {{"owner", json_text(properties.owner)},
            {"locale_provider", json_text(properties.locale_provider)},
            {"collate", json_text(properties.collate)},
            {"ctype", json_text(properties.ctype)},
            {"locale", json_text_or_null(properties.locale)},
            {"icu_rules", json_text_or_null(properties.icu_rules)},
            {"tablespace", json_text_or_null(properties.tablespace)},
            {"connection_limit",
             properties.connection_limit < 0 ? json::value(nullptr) : json::value(properties.connection_limit)},
            {"is_template", properties.is_template},
            {"comment", json_text_or_null(properties.comment)},
            {"privileges", json_privileges(properties)},
            {"settings", std::move(settings)}};
}

DatabaseProperties read_properties(const JsonReader& reader) {
    DatabaseProperties properties;
    properties.owner = reader.text_or_empty("owner");
    properties.locale_provider = reader.text_or_empty("locale_provider");
    properties.collate = reader.text_or_empty("collate");
    properties.ctype = reader.text_or_empty("ctype");
    properties.locale = reader.text_or_empty("locale");
    properties.icu_rules = reader.text_or_empty("icu_rules");
    properties.tablespace = reader.text_or_empty("tablespace");
    properties.connection_limit = reader.has("connection_limit") ? reader.integer_or("connection_limit", 0) : -1;
    properties.is_template = reader.flag_or("is_template", false);
    properties.comment = reader.text_or_empty("comment");
    if (reader.has("privileges")) properties.privileges.emplace();
    for (const auto& each : reader.objects("privileges"))
        properties.privileges->push_back({each.text_or_empty("grantor"), each.text_or_empty("grantee"),
                                          each.text("privilege"), each.flag_or("grantable", false)});
    for (const auto& each : reader.objects("settings"))
        properties.settings.push_back({each.text_or_empty("role"), each.text("name"), each.text_or_empty("value")});
    return properties;
}

}  // namespace

json::object json_database(const DatabaseFacts& facts) {
    json::array extensions;
    for (const auto& extension : facts.extensions) extensions.emplace_back(json_text(extension));
    return {{"database", json_text(facts.database)},
            {"encoding", json_text_or_null(facts.encoding)},
            {"collation", json_text_or_null(facts.collation)},
            {"properties", json_properties(facts)},
            {"snapshot", json_text_or_null(facts.snapshot)},
            {"snapshot_lsn", json_text_or_null(facts.snapshot_lsn)},
            {"extensions", std::move(extensions)},
            {"fingerprint", json_fingerprint(facts)},
            {"rows", facts.rows ? json::value(*facts.rows) : json::value(nullptr)}};
}

DatabaseFacts read_database(const JsonReader& reader) {
    DatabaseFacts facts;
    facts.database = reader.text("database");
    facts.encoding = reader.text_or_empty("encoding");
    facts.collation = reader.text_or_empty("collation");
    if (reader.has("properties")) facts.properties = read_properties(reader.object("properties"));
    facts.snapshot = reader.text_or_empty("snapshot");
    facts.snapshot_lsn = reader.text_or_empty("snapshot_lsn");
    facts.extensions = reader.texts("extensions");
    facts.fingerprinted = reader.has("fingerprint");
    for (const auto& count : reader.objects("fingerprint")) {
        if (!count.has("rows")) count.refuse("rows", "is missing");
        facts.fingerprint.push_back({count.text("schema"), count.text("name"), count.count_or("rows", 0)});
    }
    if (reader.has("rows")) facts.rows = reader.count_or("rows", 0);
    return facts;
}

}  // namespace pgbakd::model
