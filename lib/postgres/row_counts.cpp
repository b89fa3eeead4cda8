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
asio::awaitable<std::vector<State>> states_of(Session& session, std::span<const DumpedTable> tables, Size size,
                                              async::StopToken stop) {
    std::map<TableId, State> found;
    for (std::size_t first = 0; first < tables.size(); first += states_at_once) {
        const auto some = tables.subspan(first, std::min(states_at_once, tables.size() - first));
        const auto rows = co_await session.query(state_statement(some, size), {}, stop);
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
        const auto states = co_await states_of(session_, tables_, Size::estimated, stop_);
        blocks.reserve(states.size());
        for (const auto& state : states) blocks.push_back(state.blocks);
        counted_.assign(tables_.size(), 0);
        left_out_.assign(tables_.size(), false);
        co_await session_.query("SAVEPOINT pgbakd_count", {}, stop_);
        const auto planned = portions(blocks, most_);
        std::size_t first = 0;
        for (const auto count : planned) {
            bool together = false;
            if (count > 1) together = co_await count_together(first, count);
            for (std::size_t i = first; !together && i < first + count; ++i) co_await count_alone(i);
            first += count;
        }
        co_return result();
    }

  private:
    // False, and nothing counted, where one of them stands in the way of the others or they turn out larger than known.
    asio::awaitable<bool> count_together(std::size_t first, std::size_t count) {
        const auto tables = std::span<const DumpedTable>(tables_).subspan(first, count);
        std::vector<std::uint64_t> rows;
        std::exception_ptr failure;
        try {
            rows = co_await count_locked(tables, std::nullopt);
        } catch (...) {
            failure = std::current_exception();
        }
        co_await let_go(failure);
        if (failure) co_return false;
        std::copy(rows.begin(), rows.end(), counted_.begin() + static_cast<std::ptrdiff_t>(first));
        co_return !rows.empty();
    }

    // Some blocks after the other, each time with a lock of its own. What fails leaves the table out.
    asio::awaitable<void> count_alone(std::size_t index) {
        const auto tables = std::span<const DumpedTable>(tables_).subspan(index, 1);
        const bool sliceable = session_.server_version() >= first_with_block_ranges && tables[0].condition.empty();
        std::uint64_t total = 0;
        std::optional<std::uint64_t> next = 0;
        while (next && !left_out_[index]) {
            std::vector<std::uint64_t> rows;
            std::exception_ptr failure;
            blocks_seen_ = 0;
            try {
                rows = co_await count_locked(tables, sliceable ? next : std::nullopt);
            } catch (...) {
                failure = std::current_exception();
            }
            co_await let_go(failure);
            if (failure)
                leave_out(index, base::to_error(failure).during("counting the rows of " + tables_text(tables)));
            if (rows.empty())
                left_out_[index] = true;
            else
                total += rows.front();
            next = sliceable && *next + most_ < blocks_seen_ ? std::optional(*next + most_) : std::nullopt;
        }
        counted_[index] = total;
    }

    // Whatever happened, what was locked is free again: counting takes locks on indexes too, which a REINDEX and
    // whoever comes behind it would wait for. Throws where there is nothing to go on with.
    asio::awaitable<void> let_go(std::exception_ptr failure) {
        stop_.check();
        if (!session_.is_open()) std::rethrow_exception(failure);
        co_await session_.query("ROLLBACK TO SAVEPOINT pgbakd_count", {}, stop_);
    }

    void leave_out(std::size_t index, const base::Error& error) {
        // What the role may not read is the administrator's to mend, and the same for all tables.
        if (error.code() == base::ErrorCode::permission_denied) throw base::Error(error);
        left_out_[index] = true;
        if (cause_.empty()) cause_ = error.message();
    }

    // The rows of each. Nothing if a lock was not to be had, a table is no longer the snapshot's, or several are larger
    // than was known. Of one table: from that block on, so many blocks as may be counted in one go.
    asio::awaitable<std::vector<std::uint64_t>> count_locked(std::span<const DumpedTable> tables,
                                                             std::optional<std::uint64_t> from) {
        std::vector<std::uint64_t> counts;
        const bool locked = co_await lock(tables);
        if (!locked) co_return counts;
        const auto states = co_await states_of(session_, tables, Size::real, stop_);
        std::uint64_t together = 0;
        for (const auto& state : states) {
            if (!state.unchanged) co_return counts;
            together += state.blocks;
        }
        blocks_seen_ = together;
        if (tables.size() > 1 && together > 2 * most_) co_return counts;
        std::optional<Blocks> blocks;
        // What is behind the blocks seen now is newer than the snapshot: the last part is open.
        if (from && together > most_)
            blocks = Blocks{*from, *from + most_ < together ? std::optional(*from + most_) : std::nullopt};
        const std::string settings(as_the_dump_reads);
        co_await session_.query(settings, {}, stop_);
        const auto statement = count_statement(tables, blocks);
        const auto rows = co_await session_.query(statement, {}, stop_);
        counts.assign(tables.size(), 0);
        for (const auto& row : rows) counts.at(number(row.at(0))) = number(row.at(1));
        co_return counts;
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
        counts.cause = cause_;
        return counts;
    }

    Session& session_;
    std::vector<DumpedTable> tables_;
    std::uint64_t most_;
    async::StopToken stop_;
    std::vector<std::uint64_t> counted_;
    std::vector<bool> left_out_;
    std::string cause_;
    std::uint64_t blocks_seen_ = 0;
};

}  // namespace

std::vector<std::size_t> portions(std::span<const std::uint64_t> blocks, std::uint64_t most) {
    std::vector<std::size_t> counts;
    std::uint64_t together = 0;
    for (const auto size : blocks) {
        if (!counts.empty() && counts.back() < most_tables && together + size <= most) {
            ++counts.back();
            together += size;
        } else {
            counts.push_back(1);
            together = size;
        }
    }
    return counts;
}

asio::awaitable<std::vector<DumpedTable>> changed_tables(Session& session, std::vector<DumpedTable> tables,
                                                         async::StopToken stop) {
    const auto states = co_await states_of(session, tables, Size::estimated, std::move(stop));
    std::vector<DumpedTable> changed;
    for (std::size_t i = 0; i < tables.size(); ++i)
        if (!states[i].unchanged) changed.push_back(std::move(tables[i]));
    co_return changed;
}

namespace {

std::vector<Schema> schemas_in(const Rows& rows) {
    std::vector<Schema> schemas;
    schemas.reserve(rows.size());
    for (const auto& row : rows)
        schemas.push_back({table_id(row.at(0).value_or("")).value_or(TableId{}), row.at(1).value_or(""),
                           row.at(2).value_or(""), row.at(3).value_or("")});
    return schemas;
}

}  // namespace

asio::awaitable<std::vector<Schema>> schemas_of(Session& session, std::vector<DumpedTable> tables,
                                                async::StopToken stop) {
    if (tables.empty()) co_return std::vector<Schema>();
    const auto rows = co_await session.query(schemas_statement(tables), {}, std::move(stop));
    co_return schemas_in(rows);
}

asio::awaitable<std::string> moved_schemas(ConnectOptions options, std::vector<Schema> schemas, async::StopToken stop) {
    std::string moved;
    if (schemas.empty()) co_return moved;
    const auto session = co_await Session::connect(std::move(options), stop);
    const auto rows = co_await session->query(schemas_now_statement(schemas), {}, stop);
    const auto now = schemas_in(rows);
    for (const auto& was : schemas) {
        const auto found = std::find_if(now.begin(), now.end(), [&was](const Schema& is) { return is.id == was.id; });
        // Renamed and renamed again is a new version with the same rights; GRANT changes those.
        const bool same = found != now.end() && (found->version == was.version || found->rights != was.rights);
        if (!same) moved += (moved.empty() ? "" : ", ") + quote_identifier(was.name);
    }
    co_return moved;
}

asio::awaitable<Counts> count_rows(Session& session, std::vector<DumpedTable> tables, std::uint64_t most,
                                   async::StopToken stop) {
    const auto counter = std::make_unique<Counter>(session, std::move(tables), most, std::move(stop));
    co_return co_await counter->run();
}

}  // namespace pgbakd::postgres
