#include "codec/archive_index.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"

namespace pgbakd::codec {

namespace {

// Names are for messages; PostgreSQL's own are at most 63 bytes for each of schema and table.
constexpr std::size_t longest_name = 256;

}  // namespace

void ArchiveIndex::add_block(std::int32_t dump_id, std::string_view name, bool large_objects,
                             std::uint64_t file_offset) {
    const std::string shown = base::clamp_utf8(name, longest_name);
    blocks_.push_back({.dump_id = dump_id,
                       .name_size = static_cast<std::uint32_t>(shown.size()),
                       .name_offset = names_.size(),
                       .file_offset = file_offset,
                       .large_objects = large_objects,
                       .seen = false});
    names_ += shown;
}

base::Status ArchiveIndex::close() {
    std::sort(ids_.begin(), ids_.end());
    const auto twin = std::adjacent_find(ids_.begin(), ids_.end());
    if (twin != ids_.end())
        return base::Error(base::ErrorCode::corrupt,
                           fmt::format("two entries of the table of contents have the id {}", *twin));
    ids_ = {};
    std::sort(blocks_.begin(), blocks_.end(), [](const Block& a, const Block& b) { return a.dump_id < b.dump_id; });
    return {};
}

ArchiveIndex::Block* ArchiveIndex::find(std::int32_t dump_id) {
    const auto found = std::lower_bound(blocks_.begin(), blocks_.end(), dump_id,
                                        [](const Block& block, std::int32_t id) { return block.dump_id < id; });
    return found != blocks_.end() && found->dump_id == dump_id ? &*found : nullptr;
}

std::string_view ArchiveIndex::name(const Block& block) const noexcept {
    return std::string_view(names_).substr(block.name_offset, block.name_size);
}

std::string ArchiveIndex::missing() const {
    constexpr std::size_t shown = 3;
    std::string text;
    std::size_t count = 0;
    for (const Block& block : blocks_) {
        if (block.seen) continue;
        if (++count > shown) continue;
        if (!text.empty()) text += ", ";
        text += name(block);
    }
    if (count > shown) text += fmt::format(" and {} more", count - shown);
    return base::printable(text);
}

}  // namespace pgbakd::codec
