#include <libdeflate.h>

#include <algorithm>
#include <utility>

#include "codec/archive_batch.hpp"

namespace pgbakd::codec {

namespace {

using base::Error;
using base::ErrorCode;
using base::Status;

constexpr std::size_t batch_size = 1024UL * 1024;
// A database of many empty tables, or large objects of nothing, must not make a batch of nothing but items.
constexpr std::size_t most_items = 4096;
constexpr std::size_t compression_offset = 11;  // behind "PGDMP", the version (3) and the sizes and the format (3)
constexpr int lowest_level = 1;
constexpr int highest_level = 9;  // what the header of versions before 1.15 can say
constexpr int oldest_major = 10;
constexpr int newest_major = 18;

std::byte byte_of(std::uint64_t value) {
    return static_cast<std::byte>(value & 0xffU);
}

}  // namespace

bool compresses_archives(const Compression& compression) noexcept {
    return compression.method == Method::gzip && compression.level >= lowest_level &&
           compression.level <= highest_level;
}

bool knows_archives_of(int pg_dump_major) noexcept {
    return pg_dump_major >= oldest_major && pg_dump_major <= newest_major;
}

ArchiveSplitter::ArchiveSplitter(const Compression& compression)
    : compression_(compression), choice_(compression.level) {
    begin_batch();
}

Status ArchiveSplitter::write(Bytes bytes) {
    input_ = bytes;
    input_offset_ = reader_.offset();
    auto status = reader_.write(bytes);
    if (status && in_head_) copy_head();
    input_ = {};
    return status;
}

Status ArchiveSplitter::finish() {
    if (auto status = reader_.finish(); !status) return status;
    end_batch();
    return {};
}

std::vector<std::shared_ptr<ArchiveBatch>> ArchiveSplitter::take() {
    return std::exchange(ready_, {});
}

void ArchiveSplitter::reuse(std::shared_ptr<ArchiveBatch> batch) {
    used_.push_back(std::move(batch));
}

// What the reader has taken of header and table of contents since the last time.
void ArchiveSplitter::copy_head() {
    const auto from = static_cast<std::size_t>(copied_ - input_offset_);
    const auto upto = static_cast<std::size_t>(reader_.offset() - input_offset_);
    const auto taken = input_.subspan(from, upto - from);
    copied_ = reader_.offset();
    if (in_header_)
        header_.insert(header_.end(), taken.begin(), taken.end());
    else
        add_frame(taken);
}

Status ArchiveSplitter::on_header(const ArchiveHeader& header) {
    if (header.compression != ArchiveCompression::none)
        return Error(ErrorCode::unsupported, "pg_dump has compressed an archive that it was told to leave as it is",
                     "look at the program that client.bin of this server names");
    copy_head();
    // WriteHead: one byte since 1.15, the level as an integer before (a sign, then little-endian).
    if (header.minor >= 15)
        header_[compression_offset] = byte_of(static_cast<std::uint64_t>(ArchiveCompression::gzip));
    else
        header_[compression_offset + 1] = byte_of(static_cast<std::uint64_t>(compression_.level));
    integer_size_ = header.integer_size;
    in_header_ = false;
    add_frame(header_);
    header_ = {};
    return {};
}

Status ArchiveSplitter::on_toc_entry(ArchiveEntry& entry) {
    if (entry.has_data && entry.is("BLOBS")) large_objects_.push_back(entry.dump_id);
    return {};
}

Status ArchiveSplitter::on_toc_end() {
    copy_head();
    in_head_ = false;
    std::sort(large_objects_.begin(), large_objects_.end());
    return {};
}

bool ArchiveSplitter::holds_large_objects(std::int32_t dump_id) const {
    return std::binary_search(large_objects_.begin(), large_objects_.end(), dump_id);
}

Status ArchiveSplitter::on_data_begin(std::int32_t dump_id) {
    const bool large_objects = holds_large_objects(dump_id);
    const auto type = byte_of(large_objects ? 3 : 1);  // BLK_BLOBS, BLK_DATA
    add_frame({&type, 1});
    add_integer(dump_id);
    if (!large_objects) begin_stream();
    return {};
}

Status ArchiveSplitter::on_large_object_begin(std::uint32_t oid) {
    add_integer(static_cast<std::int32_t>(oid));
    begin_stream();
    return {};
}

Status ArchiveSplitter::on_data(Bytes stored) {
    while (!stored.empty()) {
        make_room();
        if (!in_piece_) {
            batch_->items.push_back({Item::Kind::stream, 0, std::exchange(stream_begins_, false), false, 1});
            piece_begin_ = batch_->bytes.size();
            in_piece_ = true;
        }
        const auto part = stored.first(std::min(stored.size(), batch_size - batch_->bytes.size()));
        batch_->bytes.insert(batch_->bytes.end(), part.begin(), part.end());
        stored = stored.subspan(part.size());
    }
    return {};
}

Status ArchiveSplitter::on_stream_end() {
    if (in_piece_) {
        end_piece();
    } else {
        make_room();
        batch_->items.push_back({Item::Kind::stream, 0, std::exchange(stream_begins_, false), false, 1});
    }
    batch_->items.back().last = true;
    batch_->items.back().checksum = checksum_;
    return {};
}

Status ArchiveSplitter::on_data_end(std::int32_t dump_id) {
    if (holds_large_objects(dump_id)) add_integer(0);
    return {};
}

void ArchiveSplitter::begin_batch() {
    if (used_.empty()) {
        batch_ = std::make_shared<ArchiveBatch>();
        batch_->bytes.reserve(batch_size);
        return;
    }
    batch_ = std::move(used_.back());
    used_.pop_back();
    batch_->bytes.clear();
    batch_->items.clear();
}

void ArchiveSplitter::end_batch() {
    if (in_piece_) end_piece();
    if (batch_->items.empty()) return;
    batch_->integer_size = integer_size_;
    choose_method();
    ready_.push_back(std::move(batch_));
    begin_batch();
}

// By the longest piece in the batch, if a look at it is due.
void ArchiveSplitter::choose_method() {
    Bytes longest, rest(batch_->bytes);
    bool begins = false;
    for (const auto& item : batch_->items) {
        const auto bytes = rest.first(item.size);
        rest = rest.subspan(item.size);
        if (item.kind != Item::Kind::stream) continue;
        begins = begins || item.first;
        if (bytes.size() > longest.size()) longest = bytes;
    }
    choice_.count(batch_->bytes.size(), begins);
    if (longest.size() >= DeflateChoice::least_sample && choice_.is_due()) choice_.learn(longest);
    batch_->method = choice_.next();
}

void ArchiveSplitter::make_room() {
    if (batch_->bytes.size() >= batch_size || batch_->items.size() >= most_items) end_batch();
}

void ArchiveSplitter::add_frame(Bytes bytes) {
    while (!bytes.empty()) {
        make_room();
        if (batch_->items.empty() || batch_->items.back().kind != Item::Kind::frame)
            batch_->items.push_back({Item::Kind::frame, 0, false, false, 1});
        const auto part = bytes.first(std::min(bytes.size(), batch_size - batch_->bytes.size()));
        batch_->bytes.insert(batch_->bytes.end(), part.begin(), part.end());
        batch_->items.back().size += part.size();
        bytes = bytes.subspan(part.size());
    }
}

void ArchiveSplitter::add_integer(std::int64_t value) {
    add_frame(archive_integer(value, integer_size_));
}

void ArchiveSplitter::begin_stream() {
    stream_begins_ = true;
    checksum_ = 1;
}

void ArchiveSplitter::end_piece() {
    auto& item = batch_->items.back();
    item.size = batch_->bytes.size() - piece_begin_;
    checksum_ = libdeflate_adler32(checksum_, batch_->bytes.data() + piece_begin_, item.size);
    in_piece_ = false;
}

}  // namespace pgbakd::codec
