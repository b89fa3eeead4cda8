// Which tables of a database pg_dump dumps the rows of, and the statements that count them. Follows getTables(),
// selectDumpableTable() and processExtensionTables() of src/bin/pg_dump/pg_dump.c.
#pragma once

#include <optional>
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
    bool gone = false;      // dropped since the snapshot was taken
};
// By schema and name, as bytes.
asio::awaitable<std::vector<DumpedTable>> dumped_tables(Session& session, async::StopToken stop);

// Some blocks of a table, from `first` on and before `end`.
struct Blocks {
    std::uint64_t first = 0;
    std::optional<std::uint64_t> end;  // none: to the last
};
// One statement that counts them all: rows of (index, count). Of one table, also those in some of its blocks alone.
[[nodiscard]] std::string count_statement(std::span<const DumpedTable> tables, std::optional<Blocks> blocks = {});
// Waits for nobody.
[[nodiscard]] std::string lock_statement(std::span<const DumpedTable> tables);
// How many blocks a table has: as the catalog has it, which may be long ago; or as the file has it, which waits for the
// table's lock.
enum class Size { estimated, real };
// Rows of (OID, whether the table is still what the session's snapshot saw, how many blocks it has). TRUNCATE and
// rewrites (ALTER TABLE, CLUSTER) do not obey snapshots, but give a table another file; a name may lead to another
// table.
[[nodiscard]] std::string state_statement(std::span<const DumpedTable> tables, Size size);
// Rows of (OID, name, version, rights) of those tables' schemas; the version changes with every change, the rights with
// GRANT and a new owner alone.
[[nodiscard]] std::string schemas_statement(std::span<const DumpedTable> tables);
// The same of these schemas as they are now, and whether the name that each had leads to it.
[[nodiscard]] std::string schemas_now_statement(std::span<const Schema> schemas);
// "\"public\".\"orders\" and 49 more tables"
[[nodiscard]] std::string tables_text(std::span<const DumpedTable> tables);

// A name for a manifest, which is UTF-8: bytes that are none (databases without an encoding hold any) become "\xNN".
[[nodiscard]] std::string utf8_name(std::string_view name);

}  // namespace pgbakd::postgres
