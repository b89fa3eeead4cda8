#include "postgres/row_counts.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <utility>

namespace pgbakd::postgres {
namespace {

constexpr std::size_t states_at_once = 1000;
constexpr int first_with_block_ranges = 140000;  // before PostgreSQL 14 a range of blocks is found by reading them all

// Rows are counted where the dump reads them: an index that is damaged must not speak against a good dump. Undone with
// the savepoint: the catalogs are read by their indexes.
constexpr std::string_view as_the_dump_reads =
    "SELECT set_config('enable_indexscan', 'off', true), set_config('enable_indexonlyscan', 'off', true), "
    "set_config('enable_bitmapscan', 'off', true)";

std::uint64_t number(const Value& value) {
    std::uint64_t result = 0;
    if (value) std::from_chars(value->data(), value->data() + value->size(), result);
    return result;
}

struct State {
    bool unchanged = false;
    std::uint64_t blocks = 0;
};

// In the order of the tables.
asio::awaitable<std::vector<State>> states_of(Session& session, std::span<const DumpedTable> tables,
                                              async::StopToken stop) {
    std::map<TableId, State> found;
    for (std::size_t first = 0; first < tables.size(); first += states_at_once) {
        const auto some = tables.subspan(first, std::min(states_at_once, tables.size() - first));
        const auto rows = co_await session.query(state_statement(some), {}, stop);
        for (const auto& row : rows)
            found[table_id(row.at(0).value_or("")).value_or(TableId{})] = {row.at(1) == "t", number(row.at(2))};
    }
    std::vector<State> states;
    states.reserve(tables.size());
    for (const auto& table : tables) states.push_back(found[table.id]);
    co_return states;
}

class Counter {
  public:
    Counter(Session& session, std::vector<DumpedTable> tables, std::uint64_t most, async::StopToken stop)
        : session_(session), tables_(std::move(tables)), most_(most), stop_(std::move(stop)) {}

    asio::awaitable<Counts> run() {
        std::vector<std::uint64_t> blocks;
        std::vector<bool> sliceable;
        const auto states = co_await states_of(session_, tables_, stop_);
        for (std::size_t i = 0; i < tables_.size(); ++i) {
            blocks.push_back(states[i].blocks);
            sliceable.push_back(session_.server_version() >= first_with_block_ranges && tables_[i].condition.empty());
        }
        counted_.assign(tables_.size(), 0);
        left_out_.assign(tables_.size(), false);
        co_await session_.query("SAVEPOINT pgbakd_count", {}, stop_);
        const auto planned = portions(blocks, sliceable, most_);
        for (const auto& portion : planned) {
            if (portion.count == 1 && left_out_[portion.first]) continue;
            const bool counted = co_await count(portion);
            if (!counted) co_await count_each(portion);
        }
        co_return result();
    }

  private:
    // One of them stood in the way of the others.
    asio::awaitable<void> count_each(Portion portion) {
        if (portion.count == 1) left_out_[portion.first] = true;
        if (portion.count == 1) co_return;
        for (std::size_t i = 0; i < portion.count; ++i) {
            const Portion one{portion.first + i, 1, {}};
            const bool counted = co_await count(one);
            left_out_[one.first] = !counted;
        }
    }

    // False if a lock was not to be had, or a table is no longer the snapshot's. Whatever happens, what was locked is
    // free again: counting takes locks on indexes too, which a REINDEX and whoever comes behind it would wait for.
    asio::awaitable<bool> count(Portion portion) {
        std::exception_ptr failure;
        bool counted = false;
        try {
            counted = co_await count_locked(portion);
        } catch (...) {
            failure = std::current_exception();
        }
        stop_.check();
        if (session_.is_open()) co_await session_.query("ROLLBACK TO SAVEPOINT pgbakd_count", {}, stop_);
        if (!failure) co_return counted;
        const auto error = base::to_error(failure);
        if (session_.is_open() && (error.is_passing() || portion.count > 1)) co_return false;
        throw error.during("counting the rows of " + tables_text(of(portion)));
    }

    asio::awaitable<bool> count_locked(Portion portion) {
        const auto tables = of(portion);
        const bool locked = co_await lock(tables);
        if (!locked) co_return false;
        const auto states = co_await states_of(session_, tables, stop_);
        if (!std::all_of(states.begin(), states.end(), [](const State& state) { return state.unchanged; }))
            co_return false;
        co_await session_.query(std::string(as_the_dump_reads), {}, stop_);
        const auto rows = co_await session_.query(count_statement(tables, portion.blocks), {}, stop_);
        for (const auto& row : rows) counted_.at(portion.first + number(row.at(0))) += number(row.at(1));
        co_return true;
    }

    asio::awaitable<bool> lock(std::span<const DumpedTable> tables) {
        try {
            co_await session_.query(lock_statement(tables), {}, stop_);
        } catch (const base::Error& error) {
            if (stop_.stopped() || !session_.is_open() || error.code() == base::ErrorCode::permission_denied) throw;
            co_return false;
        }
        co_return true;
    }

    Counts result() {
        Counts counts;
        std::vector<DumpedTable> left_out;
        for (std::size_t i = 0; i < tables_.size(); ++i) {
            const auto& name = tables_[i].name;
            if (left_out_[i])
                left_out.push_back(tables_[i]);
            else
                counts.tables.push_back({utf8_name(name.schema), utf8_name(name.table), counted_[i]});
        }
        if (!left_out.empty()) counts.left_out = tables_text(left_out);
        return counts;
    }

    [[nodiscard]] std::span<const DumpedTable> of(const Portion& portion) const {
        return std::span(tables_).subspan(portion.first, portion.count);
    }

    Session& session_;
    std::vector<DumpedTable> tables_;
    std::uint64_t most_;
    async::StopToken stop_;
    std::vector<std::uint64_t> counted_;
    std::vector<bool> left_out_;
};

}  // namespace

std::vector<Portion> portions(std::span<const std::uint64_t> blocks, const std::vector<bool>& sliceable,
                              std::uint64_t most) {
    std::vector<Portion> result;
    std::uint64_t together = 0;  // in the last portion, if more may join it
    bool open = false;
    for (std::size_t i = 0; i < blocks.size(); ++i) {
        if (blocks[i] > most && sliceable[i]) {
            open = false;
            for (std::uint64_t first = 0; first < blocks[i]; first += most) {
                const bool last = first + most >= blocks[i];
                // What is behind the blocks seen now is newer than the snapshot, or not there: the last is open.
                result.push_back({i, 1, Blocks{first, last ? std::nullopt : std::optional(first + most)}});
            }
            continue;
        }
        if (open && result.back().count < most_tables && together + blocks[i] <= most) {
            ++result.back().count;
            together += blocks[i];
            continue;
        }
        result.push_back({i, 1, std::nullopt});
        together = blocks[i];
        open = true;
    }
    return result;
}

asio::awaitable<std::vector<DumpedTable>> changed_tables(Session& session, std::vector<DumpedTable> tables,
                                                         async::StopToken stop) {
    const auto states = co_await states_of(session, tables, std::move(stop));
    std::vector<DumpedTable> changed;
    for (std::size_t i = 0; i < tables.size(); ++i)
        if (!states[i].unchanged) changed.push_back(std::move(tables[i]));
    co_return changed;
}

asio::awaitable<Counts> count_rows(Session& session, std::vector<DumpedTable> tables, std::uint64_t most,
                                   async::StopToken stop) {
    const auto counter = std::make_unique<Counter>(session, std::move(tables), most, std::move(stop));
    co_return co_await counter->run();
}

}  // namespace pgbakd::postgres
