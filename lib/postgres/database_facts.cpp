// What a database is, as pg_dump's dumpDatabase() and dumpDatabaseConfig() ask for it (src/bin/pg_dump/pg_dump.c).
#include <charconv>

#include "postgres/facts.hpp"

namespace pgbakd::postgres {
namespace {

bool yes(const Value& value) {
    return value == "t";
}

int integer(const Value& value, int otherwise) {
    int result = otherwise;
    if (value) std::from_chars(value->data(), value->data() + value->size(), result);
    return result;
}

asio::awaitable<std::vector<model::DatabasePrivilege>> privileges(Session& session, async::StopToken stop) {
    const auto rows = co_await session.query(
        "SELECT pg_get_userbyid(a.grantor), CASE WHEN a.grantee <> 0 THEN pg_get_userbyid(a.grantee) END, "
        "a.privilege_type, a.is_grantable FROM pg_database d, aclexplode(d.datacl) WITH ORDINALITY "
        "AS a (grantor, grantee, privilege_type, is_grantable, place) WHERE d.datname = current_database() "
        "ORDER BY a.place",
        {}, stop);
    std::vector<model::DatabasePrivilege> result;
    for (const auto& row : rows)
        result.push_back({row.at(0).value_or(""), row.at(1).value_or(""), row.at(2).value_or(""), yes(row.at(3))});
    co_return result;
}

asio::awaitable<std::vector<model::DatabaseSetting>> settings(Session& session, async::StopToken stop) {
    const auto rows = co_await session.query(
        "SELECT r.rolname, split_part(c.text, '=', 1), substr(c.text, strpos(c.text, '=') + 1) "
        "FROM pg_db_role_setting s LEFT JOIN pg_roles r ON r.oid = s.setrole, "
        "unnest(s.setconfig) WITH ORDINALITY AS c (text, place) "
        "WHERE s.setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database()) "
        "AND (s.setrole = 0 OR r.oid IS NOT NULL) ORDER BY r.rolname COLLATE \"C\" NULLS FIRST, c.place",
        {}, stop);
    std::vector<model::DatabaseSetting> result;
    for (const auto& row : rows)
        result.push_back({row.at(0).value_or(""), row.at(1).value_or(""), row.at(2).value_or("")});
    co_return result;
}

}  // namespace

asio::awaitable<model::DatabaseFacts> database_facts(Session& session, async::StopToken stop) {
    // Through JSON, since the columns that name the locale differ between versions 13 to 18.
    const auto rows = co_await session.query(
        "SELECT current_database(), pg_encoding_to_char(d.encoding), "
        "CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END, "
        "pg_get_userbyid(d.datdba), CASE j ->> 'datlocprovider' WHEN 'i' THEN 'icu' WHEN 'b' THEN 'builtin' "
        "ELSE 'libc' END, d.datcollate, d.datctype, coalesce(j ->> 'datlocale', j ->> 'daticulocale'), "
        "j ->> 'daticurules', nullif(t.spcname, 'pg_default'), d.datconnlimit, d.datistemplate, "
        "shobj_description(d.oid, 'pg_database'), d.datacl IS NOT NULL "
        "FROM pg_database d JOIN pg_tablespace t ON t.oid = d.dattablespace, to_jsonb(d) j "
        "WHERE d.datname = current_database()",
        {}, stop);
    const auto& row = rows.at(0);
    model::DatabaseProperties properties;
    properties.owner = row.at(3).value_or("");
    properties.locale_provider = row.at(4).value_or("");
    properties.collate = row.at(5).value_or("");
    properties.ctype = row.at(6).value_or("");
    properties.locale = row.at(7).value_or("");
    properties.icu_rules = row.at(8).value_or("");
    properties.tablespace = row.at(9).value_or("");
    properties.connection_limit = integer(row.at(10), -1);
    properties.is_template = yes(row.at(11));
    properties.comment = row.at(12).value_or("");
    if (yes(row.at(13))) {
        auto list = co_await privileges(session, stop);
        properties.privileges = std::move(list);
    }
    properties.settings = co_await settings(session, stop);
    const auto extensions =
        co_await session.query("SELECT extname || ' ' || extversion FROM pg_extension ORDER BY extname", {}, stop);
    model::DatabaseFacts facts;
    facts.database = row.at(0).value_or("");
    facts.encoding = row.at(1).value_or("");
    facts.collation = properties.locale_provider == "libc" ? properties.collate
                                                           : properties.locale_provider + ":" + properties.locale;
    facts.snapshot_lsn = row.at(2).value_or("");
    facts.properties = std::move(properties);
    for (const auto& extension : extensions) facts.extensions.push_back(extension.at(0).value_or(""));
    co_return facts;
}

}  // namespace pgbakd::postgres
