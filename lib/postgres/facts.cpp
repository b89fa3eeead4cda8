#include "postgres/facts.hpp"

#include <charconv>

namespace pgbakd::postgres {
namespace {

std::uint64_t number(const Value& value) {
    std::uint64_t result = 0;
    if (value) std::from_chars(value->data(), value->data() + value->size(), result);
    return result;
}

bool yes(const Value& value) {
    return value == "t";
}

}  // namespace

asio::awaitable<ServerFacts> server_facts(Session& session, async::StopToken stop) {
    const auto rows = co_await session.query(
        "SELECT pg_is_in_recovery(), rolsuper, rolname, has_function_privilege('pg_control_system()', 'EXECUTE') "
        "FROM pg_roles WHERE rolname = current_user",
        {}, stop);
    const auto& row = rows.at(0);
    ServerFacts facts;
    facts.version_number = session.server_version();
    facts.version = session.server_version_text();
    facts.in_recovery = yes(row.at(0));
    facts.is_superuser = yes(row.at(1));
    facts.role = row.at(2).value_or("");
    // Asked apart: a statement that only names a function without leave to execute it fails.
    if (yes(row.at(3))) {
        const auto identifier = co_await session.query("SELECT system_identifier FROM pg_control_system()", {}, stop);
        facts.system_identifier = identifier.at(0).at(0).value_or("");
    }
    co_return facts;
}

asio::awaitable<std::vector<DatabaseInfo>> list_databases(Session& session, async::StopToken stop) {
    // datconnlimit -2 marks a database whose DROP was interrupted: nobody can connect to it any more. The size of one
    // that is dropped at this moment is NULL.
    const auto rows = co_await session.query(
        "SELECT datname, datallowconn AND datconnlimit <> -2, datistemplate, has_database_privilege(oid, 'CONNECT'), "
        "CASE WHEN has_database_privilege(oid, 'CONNECT') OR pg_has_role('pg_read_all_stats', 'USAGE') "
        "THEN pg_database_size(oid) END FROM pg_database ORDER BY datname COLLATE \"C\"",
        {}, stop);
    std::vector<DatabaseInfo> databases;
    databases.reserve(rows.size());
    for (const auto& row : rows)
        databases.push_back(
            {row.at(0).value_or(""), yes(row.at(1)), yes(row.at(2)), yes(row.at(3)), number(row.at(4))});
    co_return databases;
}

asio::awaitable<bool> can_read_role_passwords(Session& session, async::StopToken stop) {
    const auto rows = co_await session.query("SELECT has_table_privilege('pg_authid', 'SELECT')", {}, stop);
    co_return yes(rows.at(0).at(0));
}

}  // namespace pgbakd::postgres
