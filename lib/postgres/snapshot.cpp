#include "postgres/snapshot.hpp"

#include <fmt/format.h>

#include <set>
#include <utility>

#include "postgres/facts.hpp"
#include "postgres/row_counts.hpp"
#include "postgres/tables.hpp"

namespace pgbakd::postgres {

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

// Those whose rows are in the dump: without a list, those that the role may read, and those that it could have read.
asio::awaitable<std::vector<DumpedTable>> choose(Session& session, Snapshot::Choice choice, async::StopToken stop) {
    auto tables = co_await dumped_tables(session, stop);
    if (choice) {
        const std::set<TableId> wanted(choice->begin(), choice->end());
        std::erase_if(tables, [&wanted](const DumpedTable& table) { return !wanted.contains(table.id); });
    } else {
        std::erase_if(tables, [](const DumpedTable& table) { return !table.readable && !table.gone; });
    }
    co_return tables;
}

}  // namespace

asio::awaitable<std::vector<TableRef>> Snapshot::list_tables(async::StopToken stop) {
    auto tables = co_await dumped_tables(*impl_->session, stop);
    std::vector<TableRef> names;
    names.reserve(tables.size());
    for (auto& table : tables) names.push_back(std::move(table.name));
    co_return names;
}

asio::awaitable<std::string> Snapshot::changed_tables(Choice choice, async::StopToken stop) {
    auto tables = co_await choose(*impl_->session, std::move(choice), stop);
    const auto changed = co_await postgres::changed_tables(*impl_->session, std::move(tables), stop);
    co_return changed.empty() ? std::string() : tables_text(changed);
}

asio::awaitable<std::vector<Schema>> Snapshot::schemas(Choice choice, async::StopToken stop) {
    auto tables = co_await choose(*impl_->session, std::move(choice), stop);
    co_return co_await schemas_of(*impl_->session, std::move(tables), stop);
}

asio::awaitable<Counts> Snapshot::count_rows(Choice choice, async::StopToken stop) {
    auto tables = co_await choose(*impl_->session, std::move(choice), stop);
    co_return co_await postgres::count_rows(*impl_->session, std::move(tables), most_blocks, stop);
}

}  // namespace pgbakd::postgres
