// How many rows tables have in a session's snapshot, counted without getting into anybody's way.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "postgres/snapshot.hpp"
#include "postgres/tables.hpp"

namespace pgbakd::postgres {

// What is counted in one go: as many locks are held, and for so long. A table of its own where `blocks` is given.
struct Portion {
    std::size_t first = 0;
    std::size_t count = 1;
    std::optional<Blocks> blocks;
    bool operator==(const Portion& other) const {
        return first == other.first && count == other.count && blocks.has_value() == other.blocks.has_value() &&
               (!blocks || (blocks->first == other.blocks->first && blocks->end == other.blocks->end));
    }
};
inline constexpr std::size_t most_tables = 50;        // cheap round trips, statements that are planned fast
inline constexpr std::uint64_t most_blocks = 32'768;  // 256 MiB of 8 KiB each: a second or two

// Portions of up to `most` blocks that together cover tables of so many blocks, in order. Tables that cannot be divided
// (`sliceable` is false) are not.
[[nodiscard]] std::vector<Portion> portions(std::span<const std::uint64_t> blocks, const std::vector<bool>& sliceable,
                                            std::uint64_t most = most_blocks);

// Those that are no longer what the snapshot saw (see Snapshot).
asio::awaitable<std::vector<DumpedTable>> changed_tables(Session& session, std::vector<DumpedTable> tables,
                                                         async::StopToken stop);
// In a transaction, which stays as it was: what was locked for the counting is not any more.
asio::awaitable<Counts> count_rows(Session& session, std::vector<DumpedTable> tables, std::uint64_t most,
                                   async::StopToken stop);

}  // namespace pgbakd::postgres
