// Which tables of a database pg_dump dumps the rows of, and the statements that count them. Follows getTables(),
// selectDumpableTable() and processExtensionTables() of src/bin/pg_dump/pg_dump.c.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "postgres/session.hpp"
#include "postgres/snapshot.hpp"

namespace pgbakd::postgres {

// Schemas that pg_dump never dumps, as a condition on pg_namespace n; relations of an extension that it leaves to the
// extension, as one on pg_class c joined with `configuration_tables` as x.
extern const std::string_view user_schema;
extern const std::string_view configuration_tables;
extern const std::string_view not_left_to_extension;

struct DumpedTable {
    TableId id{};
    TableRef name;
    std::string condition;  // of an extension's configuration table: "WHERE NOT predefined", as pg_dump applies it
    bool readable = true;   // the role may read its rows: all of them, if row_security is off
};
// By schema and name, as bytes.
asio::awaitable<std::vector<DumpedTable>> dumped_tables(Session& session, async::StopToken stop);

// One statement that counts them all: rows of (index, count).
[[nodiscard]] std::string count_statement(std::span<const DumpedTable> tables);
// Waits for nobody.
[[nodiscard]] std::string lock_statement(std::span<const DumpedTable> tables);
// Which of these tables, locked by name, are still what the session's snapshot saw: rows of one OID each. TRUNCATE and
// rewrites (ALTER TABLE, CLUSTER) do not obey snapshots, but give a table another file; a name may be another table's.
[[nodiscard]] std::string unchanged_statement(std::span<const DumpedTable> tables);
// "\"public\".\"orders\" and 49 more tables"
[[nodiscard]] std::string tables_text(std::span<const DumpedTable> tables);

// A name for a manifest, which is UTF-8: bytes that are none (databases without an encoding hold any) become "\xNN".
[[nodiscard]] std::string utf8_name(std::string_view name);

}  // namespace pgbakd::postgres
