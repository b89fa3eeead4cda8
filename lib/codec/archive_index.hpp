// What a reader of a pg_dump archive must remember of the table of contents: which entries announce data, what to call
// them, and whether their data has come. About 24 bytes and a name per entry with data, 4 bytes for any other.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace pgbakd::codec {

class ArchiveIndex {
  public:
    struct Block {
        std::int32_t dump_id = 0;
        std::uint32_t name_size = 0;
        std::uint64_t name_offset = 0;
        std::uint64_t file_offset = 0;  // where the block must begin; 0 when the archive does not say
        bool large_objects = false;
        bool seen = false;
    };

    void add(std::int32_t dump_id) { ids_.push_back(dump_id); }
    void add_block(std::int32_t dump_id, std::string_view name, bool large_objects, std::uint64_t file_offset);
    // After the last add: sorts. Fails when two entries have the same id.
    [[nodiscard]] base::Status close();

    // The block of that entry, or nullptr when no entry with this id announces data. Valid after close().
    [[nodiscard]] Block* find(std::int32_t dump_id);
    [[nodiscard]] std::string_view name(const Block& block) const noexcept;
    [[nodiscard]] std::size_t blocks() const noexcept { return blocks_.size(); }
    // "public.orders, public.lines and 3 more": the entries whose data has not come; empty when none is missing.
    [[nodiscard]] std::string missing() const;

  private:
    std::vector<std::int32_t> ids_;
    std::vector<Block> blocks_;
    std::string names_;
};

}  // namespace pgbakd::codec
