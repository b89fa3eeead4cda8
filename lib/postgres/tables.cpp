#include "postgres/tables.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/text.hpp"

namespace pgbakd::postgres {

const std::string_view user_schema = "n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'";
const std::string_view configuration_tables =
    "(SELECT u.relid, u.condition FROM pg_extension e, unnest(e.extconfig, e.extcondition) AS u (relid, condition))";
const std::string_view not_left_to_extension =
    "(x.relid IS NOT NULL OR NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass "
    "AND d.objid = c.oid AND d.deptype = 'e'))";

std::optional<TableId> table_id(std::string_view text) {
    std::uint32_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size() || number == 0) return std::nullopt;
    return TableId{number};
}

asio::awaitable<std::vector<DumpedTable>> dumped_tables(Session& session, async::StopToken stop) {
    // Unlogged tables are dumped, but a standby has none of their rows. Partitioned tables have no rows of their own,
    // and materialized views and foreign tables are dumped without rows.
    const auto sql = fmt::format(
        "SELECT c.oid, n.nspname, c.relname, coalesce(x.condition, ''), "
        "has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT') "
        "AND (NOT row_security_active(c.oid) OR current_setting('row_security') = 'on') "
        "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN {} x ON x.relid = c.oid "
        "WHERE c.relkind = 'r' AND {} AND {} "
        "AND (c.relpersistence = 'p' OR c.relpersistence = 'u' AND NOT pg_is_in_recovery()) "
        "ORDER BY n.nspname COLLATE \"C\", c.relname COLLATE \"C\"",
        configuration_tables, user_schema, not_left_to_extension);
    const auto rows = co_await session.query(sql, {}, stop);
    std::vector<DumpedTable> tables;
    tables.reserve(rows.size());
    for (const auto& row : rows)
        tables.push_back({table_id(row[0].value_or("")).value_or(TableId{}),
                          {row[1].value_or(""), row[2].value_or("")},
                          row[3].value_or(""),
                          row[4] == "t",
                          !row[4]});
    co_return tables;
}

namespace {

std::string qualified(const TableRef& name) {
    return quote_identifier(name.schema) + "." + quote_identifier(name.table);
}

}  // namespace

std::string count_statement(std::span<const DumpedTable> tables, std::optional<Blocks> blocks) {
    if (blocks) {
        const auto end = blocks->end ? fmt::format(" AND ctid < '({},0)'", *blocks->end) : "";
        return fmt::format("SELECT 0, count(*) FROM ONLY {} WHERE ctid >= '({},0)'{}", qualified(tables.front().name),
                           blocks->first, end);
    }
    std::string sql;
    for (std::size_t i = 0; i < tables.size(); ++i) {
        if (i > 0) sql += " UNION ALL ";
        // A condition may be more than one: "WHERE … LIMIT 2".
        sql += fmt::format("(SELECT {}, count(*) FROM (SELECT 1 FROM ONLY {} {}) AS rows)", i,
                           qualified(tables[i].name), tables[i].condition);
    }
    return sql;
}

std::string lock_statement(std::span<const DumpedTable> tables) {
    std::string sql = "LOCK TABLE ";
    for (std::size_t i = 0; i < tables.size(); ++i) {
        if (i > 0) sql += ", ";
        sql += "ONLY " + qualified(tables[i].name);
    }
    return sql + " IN ACCESS SHARE MODE NOWAIT";
}

namespace {

std::string ids_of(std::span<const DumpedTable> tables) {
    std::vector<std::string> ids;
    ids.reserve(tables.size());
    for (const auto& table : tables) ids.push_back(std::to_string(static_cast<std::uint32_t>(table.id)));
    return base::join(ids, ", ");
}

}  // namespace

std::string state_statement(std::span<const DumpedTable> tables, Size size) {
    // pg_class is read in the snapshot; the functions see what is committed now, NULL for what is gone.
    return fmt::format(
        "SELECT c.oid, (pg_relation_filenode(c.oid) = c.relfilenode "
        "AND to_regclass((quote_ident(n.nspname) || '.' || quote_ident(c.relname))::text) = c.oid) IS TRUE, {} "
        "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid IN ({})",
        size == Size::estimated ? "greatest(c.relpages, 0)"
                                : "coalesce(pg_relation_size(c.oid) / current_setting('block_size')::bigint, 0)",
        ids_of(tables));
}

namespace {

constexpr std::string_view schema_columns =
    "n.oid, n.nspname, n.xmin::text, n.nspowner::text || ' ' || coalesce(n.nspacl::text, '')";

}  // namespace

std::string schemas_statement(std::span<const DumpedTable> tables) {
    return fmt::format(
        "SELECT {} FROM pg_namespace n WHERE n.oid IN (SELECT c.relnamespace FROM pg_class c WHERE c.oid IN ({})) "
        "ORDER BY 2",
        schema_columns, ids_of(tables));
}

std::string schemas_now_statement(std::span<const Schema> schemas) {
    std::string sql = fmt::format("SELECT {} FROM pg_namespace n JOIN (VALUES ", schema_columns);
    for (std::size_t i = 0; i < schemas.size(); ++i)
        sql += fmt::format("{}({}::oid, {}::text)", i == 0 ? "" : ", ", static_cast<std::uint32_t>(schemas[i].id),
                           quote_literal(schemas[i].name));
    return sql + ") AS was (id, name) ON was.id = n.oid AND to_regnamespace(quote_ident(was.name)::text) = n.oid";
}

std::string tables_text(std::span<const DumpedTable> tables) {
    if (tables.empty()) return "no tables";
    auto first = qualified(tables.front().name);
    if (tables.size() == 1) return first;
    return fmt::format("{} and {} more table{}", first, tables.size() - 1, tables.size() == 2 ? "" : "s");
}

std::string utf8_name(std::string_view name) {
    std::string text;
    while (!name.empty()) {
        std::size_t length = static_cast<unsigned char>(name.front()) < 0x80 ? 1 : 0;
        // One "?" comes back for a character that printable() replaces, and one for each byte that is no UTF-8.
        for (std::size_t size = 2; length == 0 && size <= std::min<std::size_t>(4, name.size()); ++size) {
            const auto shown = base::printable(name.substr(0, size));
            if (shown == name.substr(0, size) || shown == "?") length = size;
        }
        if (length == 0) text += fmt::format("\\x{:02x}", static_cast<unsigned char>(name.front()));
        text += name.substr(0, length);
        name.remove_prefix(std::max<std::size_t>(1, length));
    }
    return text;
}

}  // namespace pgbakd::postgres
