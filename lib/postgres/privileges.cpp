// What a role lacks for pg_dump: LOCK TABLE … IN ACCESS SHARE MODE and COPY (SELECT on tables, USAGE on their schemas),
// SELECT on sequences and large objects, and no row security that hides rows.
#include <fmt/format.h>

#include <charconv>
#include <map>

#include "base/text.hpp"
#include "postgres/facts.hpp"
#include "postgres/tables.hpp"

namespace pgbakd::postgres {
namespace {

enum class Kind { schema = 1, table = 2, sequence = 3, large_object = 4, row_security = 5 };

// Common table expressions that end in "missing": kind, object, grant, schema (quoted; empty for large objects).
std::string missing_sql(int server_version) {
    // Until there was a function for it (18) a large object's privileges could only be read off its ACL.
    const std::string_view unreadable_object =
        server_version >= 180000
            ? "NOT has_largeobject_privilege(m.oid, 'SELECT')"
            : "NOT pg_has_role(m.lomowner, 'USAGE') AND NOT EXISTS (SELECT FROM aclexplode(m.lomacl) a "
              "WHERE a.privilege_type = 'SELECT' AND CASE a.grantee WHEN 0 THEN true "
              "ELSE pg_has_role(a.grantee, 'USAGE') END)";
    return fmt::format(
        "WITH relation AS MATERIALIZED ("
        "SELECT c.oid, c.relkind AS kind, n.oid AS schema, quote_ident(n.nspname) AS schema_name, "
        "format('%I.%I', n.nspname, c.relname) AS name "
        "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN {} x ON x.relid = c.oid "
        "WHERE c.relkind IN ('r', 'p', 'S') AND c.relpersistence <> 't' AND {} AND {}), "
        "me AS (SELECT quote_ident(current_user) AS name, rolsuper FROM pg_roles WHERE rolname = current_user), "
        "missing (kind, object, fix, schema) AS ("
        "SELECT 1, 'schema ' || s.schema_name, format('GRANT USAGE ON SCHEMA %s TO %s', s.schema_name, me.name), "
        "s.schema_name FROM (SELECT DISTINCT schema, schema_name FROM relation) s, me "
        "WHERE NOT has_schema_privilege(s.schema, 'USAGE') "
        "UNION ALL SELECT 2, 'table ' || r.name, format('GRANT SELECT ON TABLE %s TO %s', r.name, me.name), "
        "r.schema_name FROM relation r, me WHERE r.kind <> 'S' AND NOT has_table_privilege(r.oid, 'SELECT') "
        "UNION ALL SELECT 3, 'sequence ' || r.name, format('GRANT SELECT ON SEQUENCE %s TO %s', r.name, me.name), "
        "r.schema_name FROM relation r, me WHERE r.kind = 'S' AND NOT CASE r.kind WHEN 'S' THEN "
        "has_sequence_privilege(r.oid, 'SELECT') END "
        "UNION ALL SELECT 4, 'large object ' || m.oid, format('GRANT SELECT ON LARGE OBJECT %s TO %s', m.oid, "
        "me.name), "
        "'' FROM pg_largeobject_metadata m, me WHERE current_setting('lo_compat_privileges') = 'off' "
        "AND NOT me.rolsuper AND {} "
        "UNION ALL SELECT 5, 'row security of table ' || r.name, format('ALTER ROLE %s BYPASSRLS', me.name), "
        "r.schema_name FROM relation r, me WHERE r.kind = 'r' AND row_security_active(r.oid)) ",
        configuration_tables, user_schema, not_left_to_extension, unreadable_object);
}

std::int64_t number(const Value& value) {
    std::int64_t result = 0;
    if (value) std::from_chars(value->data(), value->data() + value->size(), result);
    return result;
}

struct Role {
    std::string name;    // as it is
    std::string quoted;  // as SQL wants it
    bool inherits = true;
};
// What is missing of each kind: the schemas concerned, quoted and joined by ", ".
using Summary = std::map<Kind, std::string>;

std::string relation_grants(const Summary& summary, const Role& role, int server_version) {
    // A role that does not inherit has nothing of a membership; from version 16 on that is the membership's property.
    if (server_version >= 160000 || (server_version >= 140000 && role.inherits))
        return fmt::format("GRANT pg_read_all_data TO {}{}", role.quoted, role.inherits ? "" : " WITH INHERIT TRUE");
    std::vector<std::string> grants;
    const auto add = [&](Kind kind, std::string_view what) {
        if (const auto found = summary.find(kind); found != summary.end())
            grants.push_back(fmt::format("GRANT {} {} TO {}", what, found->second, role.quoted));
    };
    add(Kind::schema, "USAGE ON SCHEMA");
    add(Kind::table, "SELECT ON ALL TABLES IN SCHEMA");
    add(Kind::sequence, "SELECT ON ALL SEQUENCES IN SCHEMA");
    return base::join(grants, "; ");
}

std::string fix_all(const Summary& summary, const Role& role, int server_version) {
    std::vector<std::string> statements;
    if (summary.contains(Kind::schema) || summary.contains(Kind::table) || summary.contains(Kind::sequence))
        statements.push_back(relation_grants(summary, role, server_version));
    // Not grants on those that are there: there is no default privilege for large objects, and tomorrow's would be
    // refused.
    if (summary.contains(Kind::large_object))
        statements.push_back(fmt::format("ALTER ROLE {} SET lo_compat_privileges = on", role.quoted));
    if (summary.contains(Kind::row_security)) statements.push_back(fmt::format("ALTER ROLE {} BYPASSRLS", role.quoted));
    return base::join(statements, "; ");
}

}  // namespace

asio::awaitable<PrivilegeReport> missing_privileges(Session& session, std::size_t limit, async::StopToken stop) {
    const auto common = missing_sql(session.server_version());
    const auto kinds_sql =
        common + "SELECT kind, count(*), string_agg(DISTINCT schema, ', ') FROM missing GROUP BY kind";
    const auto kinds = co_await session.query(kinds_sql, {}, stop);
    PrivilegeReport report;
    if (kinds.empty()) co_return report;
    Summary summary;
    for (const auto& row : kinds) {
        summary[static_cast<Kind>(number(row.at(0)))] = row.at(2).value_or("");
        report.total += static_cast<std::uint64_t>(number(row.at(1)));
    }
    const auto roles = co_await session.query(
        "SELECT rolname, quote_ident(rolname), rolinherit FROM pg_roles WHERE rolname = current_user", {}, stop);
    const auto& me = roles.at(0);
    const Role role{me.at(0).value_or(""), me.at(1).value_or(""), me.at(2) == "t"};
    report.one_grant = fix_all(summary, role, session.server_version());
    const auto list_sql =
        fmt::format("{}SELECT object, fix FROM missing ORDER BY kind, object COLLATE \"C\" LIMIT {}", common, limit);
    const auto rows = co_await session.query(list_sql, {}, stop);
    for (const auto& row : rows) report.missing.push_back({row.at(0).value_or(""), row.at(1).value_or("")});
    co_return report;
}

}  // namespace pgbakd::postgres
