#include "postgres/snapshot.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>
#include <utility>

#include "postgres/facts.hpp"
#include "postgres/tables.hpp"

namespace pgbakd::postgres {
namespace {

// Tables per statement: enough to make round trips cheap, few enough that one statement is planned fast.
constexpr std::size_t batch_size = 50;

std::uint64_t number(const Value& value) {
    std::uint64_t result = 0;
    if (value) std::from_chars(value->data(), value->data() + value->size(), result);
    return result;
}

}  // namespace

struct Snapshot::Impl {
    std::unique_ptr<Session> session;
    std::string id;
    model::DatabaseFacts facts;
};

Snapshot::Snapshot(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Snapshot::~Snapshot() = default;

asio::awaitable<std::unique_ptr<Snapshot>> Snapshot::open(ConnectOptions options, async::StopToken stop) {
    options.settings.insert(options.settings.begin(), {"row_security", "off"});  // the caller's own come later, and win
    // Rows are counted beside a dump and beside what the server is there for: on one core, however long that takes.
    options.settings.emplace_back("max_parallel_workers_per_gather", "0");
    // The tables' locks are taken without waiting; this is for what a condition of an extension may read besides.
    options.settings.emplace_back("lock_timeout", "1000");
    auto impl = std::make_unique<Impl>();
    impl->session = co_await Session::connect(std::move(options), stop);
    Session& session = *impl->session;
    co_await session.query("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY", {}, stop);
    const auto exported = co_await session.query("SELECT pg_export_snapshot()", {}, stop);
    impl->id = exported.at(0).at(0).value_or("");
    impl->facts = co_await database_facts(session, stop);
    impl->facts.snapshot = impl->id;
    co_return std::unique_ptr<Snapshot>(new Snapshot(std::move(impl)));
}

const std::string& Snapshot::id() const noexcept {
    return impl_->id;
}

const model::DatabaseFacts& Snapshot::facts() const noexcept {
    return impl_->facts;
}

int Snapshot::server_version() const noexcept {
    return impl_->session->server_version();
}

namespace {

asio::awaitable<std::vector<DumpedTable>> readable_tables(Session& session, async::StopToken stop) {
    auto tables = co_await dumped_tables(session, stop);
    std::erase_if(tables, [](const DumpedTable& table) { return !table.readable; });
    co_return tables;
}

// One statement inside a savepoint: a lock that is not to be had must not fail the transaction.
asio::awaitable<bool> try_lock(Session& session, std::string sql, async::StopToken stop) {
    co_await session.query("SAVEPOINT pgbakd_lock", {}, stop);
    bool locked = false;
    try {
        co_await session.query(std::move(sql), {}, stop);
        locked = true;
    } catch (const base::Error&) {
        if (stop.stopped() || !session.is_open()) throw;
    }
    const std::string end = locked ? "RELEASE SAVEPOINT pgbakd_lock" : "ROLLBACK TO SAVEPOINT pgbakd_lock";
    co_await session.query(end, {}, stop);
    co_return locked;
}

asio::awaitable<std::vector<DumpedTable>> only(Session& session, std::vector<TableId> tables, async::StopToken stop) {
    const std::set<TableId> wanted(tables.begin(), tables.end());
    auto present = co_await dumped_tables(session, stop);
    std::erase_if(present, [&wanted](const DumpedTable& table) { return !wanted.contains(table.id); });
    co_return present;
}

// Those of the tables that are locked now, and hold what the snapshot sees.
asio::awaitable<std::vector<DumpedTable>> lock(Session& session, std::vector<DumpedTable> tables,
                                               async::StopToken stop) {
    std::vector<DumpedTable> locked;
    for (std::size_t first = 0; first < tables.size(); first += batch_size) {
        const auto batch = std::span(tables).subspan(first, std::min(batch_size, tables.size() - first));
        std::vector<DumpedTable> held(batch.begin(), batch.end());
        const bool all = co_await try_lock(session, lock_statement(batch), stop);
        if (!all) {
            held.clear();
            for (const auto& table : batch) {
                const bool one = co_await try_lock(session, lock_statement(std::span(&table, 1)), stop);
                if (one) held.push_back(table);
            }
        }
        if (held.empty()) continue;
        std::set<TableId> unchanged;
        const auto rows = co_await session.query(unchanged_statement(held), {}, stop);
        for (const auto& row : rows) unchanged.insert(table_id(row.at(0).value_or("")).value_or(TableId{}));
        for (auto& table : held)
            if (unchanged.contains(table.id)) locked.push_back(std::move(table));
    }
    co_return locked;
}

asio::awaitable<std::vector<model::TableCount>> count(Session& session, std::vector<DumpedTable> tables,
                                                      async::StopToken stop) {
    std::vector<model::TableCount> counts;
    counts.reserve(tables.size());
    for (std::size_t first = 0; first < tables.size(); first += batch_size) {
        const auto batch = std::span(tables).subspan(first, std::min(batch_size, tables.size() - first));
        Rows rows;
        try {
            rows = co_await session.query(count_statement(batch), {}, stop);
        } catch (const base::Error& error) {
            if (stop.stopped()) throw;
            throw error.during("counting the rows of " + tables_text(batch));
        }
        std::vector<std::uint64_t> found(batch.size());
        for (const auto& row : rows) found.at(number(row.at(0))) = number(row.at(1));
        for (std::size_t i = 0; i < batch.size(); ++i)
            counts.push_back({utf8_name(batch[i].name.schema), utf8_name(batch[i].name.table), found[i]});
    }
    co_return counts;
}

asio::awaitable<Counts> lock_and_count(Session& session, std::vector<DumpedTable> tables, async::StopToken stop) {
    Counts result;
    auto locked = co_await lock(session, tables, stop);
    std::set<TableId> ids;
    for (const auto& table : locked) ids.insert(table.id);
    std::erase_if(tables, [&ids](const DumpedTable& table) { return ids.contains(table.id); });
    if (!tables.empty()) result.left_out = tables_text(tables);
    result.tables = co_await count(session, std::move(locked), stop);
    co_return result;
}

}  // namespace

asio::awaitable<std::vector<TableRef>> Snapshot::list_tables(async::StopToken stop) {
    auto tables = co_await dumped_tables(*impl_->session, stop);
    std::vector<TableRef> names;
    names.reserve(tables.size());
    for (auto& table : tables) names.push_back(std::move(table.name));
    co_return names;
}

asio::awaitable<Counts> Snapshot::count_rows(async::StopToken stop) {
    auto tables = co_await readable_tables(*impl_->session, stop);
    co_return co_await lock_and_count(*impl_->session, std::move(tables), stop);
}

asio::awaitable<Counts> Snapshot::count_rows(std::vector<TableId> tables, async::StopToken stop) {
    auto present = co_await only(*impl_->session, std::move(tables), stop);
    co_return co_await lock_and_count(*impl_->session, std::move(present), stop);
}

}  // namespace pgbakd::postgres
