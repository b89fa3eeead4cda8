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

struct Counts {
    std::vector<model::TableCount> tables;
    std::string left_out;  // "\"public\".\"orders\" and 2 more tables" that could not be counted; empty: none
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

    // Row counts, by schema and name, exactly as a restored database will show them: `count(*)` of ONLY the table (with
    // the condition under which pg_dump dumps an extension's configuration table). Without a list: those of
    // list_tables() that the role may read; the others are not dumped either. Names are UTF-8 (see utf8_name).
    //
    // To be called once pg_dump holds its locks: it would wait for whoever waits for ours. Each table is locked in
    // ACCESS SHARE mode until the snapshot ends, as snapshots do not protect from TRUNCATE, and nobody is waited for:
    // a table that another session has locked or wants to lock, or that it truncated, rewrote or renamed since
    // the snapshot was taken, is left out.
    asio::awaitable<Counts> count_rows(async::StopToken stop);
    // Exactly these tables, which are those of an archive: what options left out is neither counted nor locked. Those
    // that the database does not have are missing in the answer.
    asio::awaitable<Counts> count_rows(std::vector<TableId> tables, async::StopToken stop);

  private:
    struct Impl;
    explicit Snapshot(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace pgbakd::postgres
