#include <utility>

#include "codec/archive_compressor.hpp"

namespace pgbakd::codec {

namespace {

constexpr std::size_t chunk_size = 4UL * 1024 * 1024;

// The Adler-32 (RFC 1950) of two texts one after the other: of each the sum of its bytes and one, and the sum of those
// sums as they grew.
std::uint32_t joined_checksum(std::uint32_t first, std::uint32_t second, std::uint64_t second_bytes) noexcept {
    constexpr std::uint64_t modulus = 65521;
    const std::uint64_t sum = first & 0xffffU;
    const std::uint64_t sums = first >> 16U;
    const std::uint64_t joined_sum = (sum + (second & 0xffffU) + modulus - 1) % modulus;
    const std::uint64_t grown = (second_bytes % modulus) * ((sum + modulus - 1) % modulus);
    const std::uint64_t joined_sums = (sums + (second >> 16U) + grown) % modulus;
    return static_cast<std::uint32_t>((joined_sums << 16U) | joined_sum);
}

[[noreturn]] void not_whole(const char* fact) {
    throw base::Error(base::ErrorCode::corrupt, fact, "check the memory and the processor of this host");
}

}  // namespace

void ArchiveJoiner::add(CompressedBatch batch, const Output& output) {
    raw_bytes_ += batch.whole_bytes;
    for (auto& segment : batch.segments) {
        if (segment.is_piece) {
            add_piece(std::move(segment), batch.integer_size, output);
            continue;
        }
        if (in_stream_) not_whole("a compressed table lacks its end");
        output(std::move(segment.bytes));
    }
}

void ArchiveJoiner::add_piece(CompressedBatch::Segment segment, int integer_size, const Output& output) {
    checksum_ = joined_checksum(in_stream_ ? checksum_ : 1, segment.raw_checksum, segment.raw_bytes);
    raw_bytes_ += segment.raw_bytes;
    in_stream_ = !segment.last;
    chunk_bytes_ += segment.bytes.size();
    chunk_.push_back(std::move(segment.bytes));
    if (chunk_bytes_ >= chunk_size || segment.last) end_chunk(integer_size, output);
    if (!segment.last) return;
    if (checksum_ != segment.checksum) not_whole("a compressed table does not inflate to what it was");
    output(archive_integer(0, integer_size));
}

void ArchiveJoiner::end_chunk(int integer_size, const Output& output) {
    output(archive_integer(static_cast<std::int64_t>(chunk_bytes_), integer_size));
    for (auto& piece : std::exchange(chunk_, {})) output(std::move(piece));
    chunk_bytes_ = 0;
}

void ArchiveJoiner::finish() const {
    if (in_stream_) not_whole("a compressed table lacks its end");
}

}  // namespace pgbakd::codec
