// The second half of ArchiveReader: the data blocks of a custom archive (pg_backup_custom.c: _StartData, _StartLOs,
// _readBlockHeader, _skipData). A block is a type byte, the entry's id, and chunks (a length, that many bytes) up to a
// zero length; the block of large objects has an OID before the chunks of each, up to a zero OID.
#include <fmt/format.h>

#include "codec/archive_reader.hpp"

namespace pgbakd::codec {

namespace {

using base::Status;

constexpr int block_of_data = 1;   // BLK_DATA
constexpr int block_of_blobs = 3;  // BLK_BLOBS

}  // namespace

Status ArchiveReader::accept_block() {
    if (step_ == Step::block_type) {
        block_type_ = static_cast<int>(parse_little_endian(field_.bytes()));
        block_offset_ = offset_ - 1;
        if (block_type_ == 0 && header_.minor >= 15 && index_.missing().empty()) return begin_repeated_toc();
        if (block_type_ != block_of_data && block_type_ != block_of_blobs)
            return damaged(fmt::format("no block of data begins with {}", block_type_));
        return expect(Step::block_entry);
    }
    if (step_ == Step::entry_count_again) {
        if (parse_little_endian(field_.bytes()) != static_cast<std::uint64_t>(header_.entries))
            return damaged("it has another number of entries than the first");
        return expect(Step::dump_id);
    }
    const auto value = parse_archive_integer(field_.bytes());
    if (!value) return damaged("an integer whose sign is neither + nor -");
    switch (step_) {
        case Step::block_entry: return begin_block(*value);
        case Step::large_object: return begin_large_object(*value);
        default: return begin_chunk(*value);
    }
}

Status ArchiveReader::begin_block(std::int64_t id) {
    auto* block = id >= 1 && id <= 0x7fff'ffff ? index_.find(static_cast<std::int32_t>(id)) : nullptr;
    if (block == nullptr)
        return damaged(fmt::format("data of entry {}, which the table of contents does not announce", id));
    if (block->seen) return damaged(fmt::format("the data of {} for a second time", index_.name(*block)));
    block->seen = true;
    block_ = block;
    if (block->large_objects != (block_type_ == block_of_blobs)) return damaged("the wrong kind of block");
    // pg_restore would look for the data where the table of contents says.
    if (block->file_offset != 0 && block->file_offset != block_offset_)
        return damaged(fmt::format("the table of contents says that it begins at byte {}, not {}", block->file_offset,
                                   block_offset_));
    block->file_offset = block_offset_;
    if (auto status = handler_.on_data_begin(block->dump_id); !status) return located(status.error());
    return expect(block->large_objects ? Step::large_object : Step::chunk_length);
}

Status ArchiveReader::begin_large_object(std::int64_t oid) {
    if (oid == 0) return end_block();
    // WriteInt takes an int: OIDs from 2^31 on come as negative numbers.
    large_object_ = static_cast<std::uint32_t>(oid);
    if (auto status = handler_.on_large_object_begin(large_object_); !status) return located(status.error());
    return expect(Step::chunk_length);
}

Status ArchiveReader::begin_chunk(std::int64_t length) {
    if (length < 0 || length > 0x7fff'ffff) return damaged(fmt::format("a chunk of {} bytes", length));
    if (length > 0) {
        chunk_remaining_ = static_cast<std::uint64_t>(length);
        step_ = Step::chunk;
        return {};
    }
    if (auto status = handler_.on_stream_end(); !status) return located(status.error());
    if (block_->large_objects) {
        large_object_ = 0;
        return expect(Step::large_object);
    }
    return end_block();
}

Status ArchiveReader::take_chunk(Bytes bytes) {
    if (auto status = handler_.on_data(bytes); !status) return located(status.error());
    offset_ += bytes.size();
    chunk_remaining_ -= bytes.size();
    return chunk_remaining_ == 0 ? expect(Step::chunk_length) : Status{};
}

// pg_dump --compress=0 writes a chunk for each row: those that lie in `bytes` from their lengths to their ends need no
// field collected. Returns how many bytes they were; whatever else comes is left.
base::Result<std::size_t> ArchiveReader::take_whole_chunks(Bytes bytes) {
    const std::size_t width = 1 + static_cast<std::size_t>(header_.integer_size);
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    std::size_t taken = 0;
    while (bytes.size() - taken > width) {
        const auto length = parse_archive_integer(text.substr(taken, width));
        if (!length || *length <= 0) break;
        const auto size = static_cast<std::size_t>(*length);
        if (size > bytes.size() - taken - width) break;
        offset_ += width;
        if (auto status = handler_.on_data(bytes.subspan(taken + width, size)); !status) return located(status.error());
        offset_ += size;
        taken += width + size;
    }
    return taken;
}

Status ArchiveReader::end_block() {
    if (auto status = handler_.on_data_end(block_->dump_id); !status) return located(status.error());
    block_ = nullptr;
    return expect(Step::block_type);
}

// The byte that is no block's type was the sign of the number of entries.
Status ArchiveReader::begin_repeated_toc() {
    repeated_ = true;
    digest_ = 0;
    entries_read_ = 0;
    step_ = Step::entry_count_again;
    field_.expect_bytes(static_cast<std::size_t>(header_.integer_size));
    return {};
}

Status ArchiveReader::end_repeated_entry() {
    const auto* block = index_.find(entry_.dump_id);
    if (block != nullptr && entry_.data_position == DataPosition::known && entry_.data_offset != block->file_offset)
        return damaged(fmt::format("the data of {} begins at byte {}, not {}", index_.name(*block), block->file_offset,
                                   entry_.data_offset));
    entry_ = {};
    entry_bytes_ = 0;
    if (++entries_read_ < header_.entries) return expect(Step::dump_id);
    if (digest_ != first_digest_) return damaged("it is not the same as the first");
    step_ = Step::nothing;
    return {};
}

base::Error ArchiveReader::located(const base::Error& error) const {
    return error.during(fmt::format("{} before byte {}", place(), offset_));
}

}  // namespace pgbakd::codec
