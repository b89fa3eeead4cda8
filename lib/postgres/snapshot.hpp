// A snapshot that pg_dump uses too, and the row counts taken in it while the dump runs.
#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/backup_set.hpp"
#include "postgres/session.hpp"

namespace pgbakd::postgres {

// A table as the server spells it in our session (UTF-8, or raw bytes where the database has no encoding).
struct TableRef {
    std::string schema;
    std::string table;
    // clang-tidy 14 takes the 0 that a defaulted comparison hides for a null pointer.
    auto operator<=>(const TableRef&) const = default;  // NOLINT(modernize-use-nullptr)
};
// Its OID: what an archive tells of a table in whatever encoding its names are.
enum class TableId : std::uint32_t {};
// Decimal, as the server and an archive print it.
[[nodiscard]] std::optional<TableId> table_id(std::string_view text);

// A schema as a snapshot has it.
struct Schema {
    TableId id{};  // its OID
    std::string name;
    std::string version;  // another one with each change
    std::string rights;   // its owner and who may what
};
// Those that lead elsewhere by now, or did in the meantime, as `"live", "old"`: ALTER SCHEMA RENAME needs no lock that
// pg_dump holds, and pg_dump then reads tables of another schema, or none. To be asked after the dump has ended, in a
// session of its own: those that wait for hours are ended by people and programs. Errors: as Session's.
asio::awaitable<std::string> moved_schemas(ConnectOptions options, std::vector<Schema> schemas, async::StopToken stop);

struct Counts {
    std::vector<model::TableCount> tables;
    std::string left_out;  // "\"public\".\"orders\" and 2 more tables" that could not be counted; empty: none
    std::string cause;     // of one of those, where it was no lock and no change
};

// One session in one transaction: REPEATABLE READ, READ ONLY, row_security off as pg_dump has it
// unless the options' settings say otherwise. It must live as long
// as a dump that was handed its id needs to start, and until the rows are counted. One call at a time.
class Snapshot {
  public:
    // BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT pg_export_snapshot(). On a standby too (exporting works
    // there). Errors as Session's.
    static asio::awaitable<std::unique_ptr<Snapshot>> open(ConnectOptions options, async::StopToken stop);
    ~Snapshot();
    [[nodiscard]] const std::string& id() const noexcept;  // for pg_dump --snapshot
    [[nodiscard]] const model::DatabaseFacts& facts() const noexcept;
    [[nodiscard]] int server_version() const noexcept;

    // The tables whose rows pg_dump dumps when no option leaves any out: ordinary tables, leaf partitions included,
    // that are no extension's own, and configuration tables of extensions. Unlogged ones only on a primary. By name.
    asio::awaitable<std::vector<TableRef>> list_tables(async::StopToken stop);

    // Which tables a call is about: those of an archive, or without a list those of list_tables() that the role may
    // read; the others are not dumped either.
    using Choice = std::optional<std::vector<TableId>>;

    // Those that are no longer what the snapshot saw: truncated, rewritten, renamed or dropped since. While pg_dump
    // holds its locks that cannot happen any more (but see moved_schemas()); what had happened by then, it dumps
    // without rows, or another table's, and does not notice. (VACUUM FULL and CLUSTER keep the rows and look the same.)
    // As tables_text(); empty: none.
    asio::awaitable<std::string> changed_tables(Choice choice, async::StopToken stop);

    // The schemas of those tables, for moved_schemas().
    asio::awaitable<std::vector<Schema>> schemas(Choice choice, async::StopToken stop);

    // Row counts, by schema and name, exactly as a restored database will show them: `count(*)` of ONLY the table (with
    // the condition under which pg_dump dumps an extension's configuration table). Names are UTF-8 (see utf8_name).
    // Tables that the database does not have are missing in the answer.
    //
    // To be called once pg_dump holds its locks: it would wait for whoever waits for ours. Nobody is waited for, and
    // nobody waits for long: a table is locked for as long as some of its blocks are counted. One that another session
    // has locked or wants to lock, or that is no longer what the snapshot saw, is left out.
    asio::awaitable<Counts> count_rows(Choice choice, async::StopToken stop);

  private:
    struct Impl;
    explicit Snapshot(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace pgbakd::postgres
