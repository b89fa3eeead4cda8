// How many rows tables have in a session's snapshot, counted without getting into anybody's way.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "postgres/snapshot.hpp"
#include "postgres/tables.hpp"

namespace pgbakd::postgres {

inline constexpr std::size_t most_tables = 50;        // in one statement: cheap round trips, planned fast
inline constexpr std::uint64_t most_blocks = 32'768;  // 256 MiB of 8 KiB each: a second or two

// How many of the tables are counted together, in order: small ones up to `most` blocks, any larger one alone.
[[nodiscard]] std::vector<std::size_t> portions(std::span<const std::uint64_t> blocks,
                                                std::uint64_t most = most_blocks);

// Those that are no longer what the snapshot saw (see Snapshot).
asio::awaitable<std::vector<DumpedTable>> changed_tables(Session& session, std::vector<DumpedTable> tables,
                                                         async::StopToken stop);
// The schemas that these tables are in, as the session's snapshot has them.
asio::awaitable<std::vector<Schema>> schemas_of(Session& session, std::vector<DumpedTable> tables,
                                                async::StopToken stop);
// In a transaction, which stays as it was: what was locked for the counting is not any more.
asio::awaitable<Counts> count_rows(Session& session, std::vector<DumpedTable> tables, std::uint64_t most,
                                   async::StopToken stop);

}  // namespace pgbakd::postgres
