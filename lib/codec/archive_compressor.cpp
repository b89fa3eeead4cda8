#include "codec/archive_compressor.hpp"

#include <libdeflate.h>

#include <algorithm>
#include <cstring>
#include <new>

#include "codec/deflate_piece.hpp"

namespace pgbakd::codec {

namespace {

using Item = ArchiveBatch::Item;
using Buffer = std::vector<std::byte>;

struct FreeDecompressor {
    void operator()(libdeflate_decompressor* decompressor) const noexcept {
        libdeflate_free_decompressor(decompressor);
    }
};

// A last block of nothing: final, fixed codes, the end of the block (RFC 1951).
constexpr std::byte last_of_nothing[] = {std::byte{0x03}, std::byte{0x00}};

void append(Buffer& to, Bytes bytes) {
    to.insert(to.end(), bytes.begin(), bytes.end());
}

// RFC 1950: deflate with a window of 32 KiB, and how hard the compressor tried, as zlib tells it.
void append_zlib_header(Buffer& to, int level) {
    to.push_back(std::byte{0x78});
    to.push_back(level == 1   ? std::byte{0x01}
                 : level <= 5 ? std::byte{0x5e}
                 : level == 6 ? std::byte{0x9c}
                              : std::byte{0xda});
}

// RFC 1950: the checksum, its highest byte first.
void append_checksum(Buffer& to, std::uint32_t checksum) {
    for (const unsigned shift : {24U, 16U, 8U, 0U}) to.push_back(static_cast<std::byte>((checksum >> shift) & 0xffU));
}

[[noreturn]] void not_the_same() {
    throw base::Error(base::ErrorCode::corrupt, "what was compressed does not inflate to what it was",
                      "check the memory and the processor of this host");
}

}  // namespace

struct ArchiveCompressor::State {
    int level = 6;  // as zlib counts them
    std::unique_ptr<libdeflate_decompressor, FreeDecompressor> decompressor;
    PieceDeflater deflater;
    Buffer inflated;  // as large as the largest piece so far

    // Returns the Adler-32 of what the piece inflates to, which must be `raw`.
    std::uint32_t verify(Buffer& piece, Bytes raw, bool last) {
        const auto size = piece.size();
        if (!last) append(piece, last_of_nothing);
        inflated.resize(std::max(inflated.size(), raw.size()));
        std::size_t taken = 0;
        std::size_t produced = 0;
        const auto result = libdeflate_deflate_decompress_ex(decompressor.get(), piece.data(), piece.size(),
                                                             inflated.data(), raw.size(), &taken, &produced);
        const bool good = result == LIBDEFLATE_SUCCESS && taken == piece.size() && produced == raw.size();
        if (!good || (produced > 0 && std::memcmp(inflated.data(), raw.data(), produced) != 0)) not_the_same();
        piece.resize(size);
        return libdeflate_adler32(1, inflated.data(), produced);
    }

    CompressedBatch::Segment compress_piece(const Item& item, Bytes raw, DeflateMethod method) {
        CompressedBatch::Segment segment;
        segment.is_piece = true;
        segment.last = item.last;
        segment.raw_bytes = raw.size();
        segment.checksum = item.checksum;
        auto piece = deflater.deflate(raw, method, item.last);
        segment.raw_checksum = verify(piece, raw, item.last);
        if (item.first) append_zlib_header(segment.bytes, level);
        if (item.first)
            append(segment.bytes, piece);
        else
            segment.bytes = std::move(piece);
        if (item.last) append_checksum(segment.bytes, item.checksum);
        return segment;
    }
};

ArchiveCompressor::ArchiveCompressor(const Compression& compression) : state_(std::make_unique<State>()) {
    state_->level = compression.level;
    state_->decompressor.reset(libdeflate_alloc_decompressor());
    if (!state_->decompressor) throw std::bad_alloc();
}

ArchiveCompressor::~ArchiveCompressor() = default;
ArchiveCompressor::ArchiveCompressor(ArchiveCompressor&&) noexcept = default;

CompressedBatch ArchiveCompressor::compress(const ArchiveBatch& batch) {
    CompressedBatch done;
    done.integer_size = batch.integer_size;
    const auto end = archive_integer(0, batch.integer_size);
    Bytes rest(batch.bytes);
    const auto frame = [&done]() -> Buffer& {
        if (done.segments.empty() || done.segments.back().is_piece) done.segments.emplace_back();
        return done.segments.back().bytes;
    };
    for (const auto& item : batch.items) {
        const auto raw = rest.first(item.size);
        rest = rest.subspan(item.size);
        if (item.kind == Item::Kind::frame) {
            append(frame(), raw);
            continue;
        }
        auto segment = state_->compress_piece(item, raw, batch.method);
        if (!item.first || !item.last) {
            done.segments.push_back(std::move(segment));
            continue;
        }
        if (segment.raw_checksum != item.checksum) not_the_same();
        append(frame(), archive_integer(static_cast<std::int64_t>(segment.bytes.size()), batch.integer_size));
        append(frame(), segment.bytes);
        append(frame(), end);
        done.whole_bytes += item.size;
    }
    return done;
}

}  // namespace pgbakd::codec
