#include "codec/deflate_piece.hpp"

#include <isa-l/igzip_lib.h>
#include <libdeflate.h>

#include <algorithm>
#include <array>
#include <new>

#include "codec/deflate_end.hpp"

namespace pgbakd::codec {

namespace {

using Buffer = std::vector<std::byte>;
using Library = DeflateMethod::Library;

struct FreeCompressor {
    void operator()(libdeflate_compressor* compressor) const noexcept { libdeflate_free_compressor(compressor); }
};

// A last block of nothing: final, fixed codes, the end of the block.
constexpr std::byte last_of_nothing[] = {std::byte{0x03}, std::byte{0x00}};
constexpr std::size_t room_for_ends = 16;  // a zlib stream's checksum, or what leave_open() adds
constexpr DeflateMethod always_works{Library::libdeflate, 1};

}  // namespace

struct PieceDeflater::State {
    std::array<std::unique_ptr<libdeflate_compressor, FreeCompressor>, 10> compressors;  // by their levels
    std::unique_ptr<isal_zstream> stream;
    std::vector<std::uint8_t> stream_buffer;
    DeflateWalker walker;
    Buffer packed;  // as large as the largest piece so far needed

    [[nodiscard]] Buffer taken(std::size_t size) const {
        Buffer piece;
        piece.reserve(size + room_for_ends);
        piece.assign(packed.begin(), packed.begin() + static_cast<std::ptrdiff_t>(size));
        return piece;
    }

    Buffer by_libdeflate(Bytes raw, int level, bool last) {
        auto& compressor = compressors.at(static_cast<std::size_t>(level));
        if (!compressor) compressor.reset(libdeflate_alloc_compressor(level));
        if (!compressor) throw std::bad_alloc();
        packed.resize(std::max(packed.size(), libdeflate_deflate_compress_bound(compressor.get(), raw.size())));
        const auto size =
            libdeflate_deflate_compress(compressor.get(), raw.data(), raw.size(), packed.data(), packed.size());
        if (size == 0) throw base::Error(base::ErrorCode::internal, "libdeflate failed to compress a piece");
        auto piece = taken(size);
        if (!last) leave_open(piece, walker.last_block(piece).value());
        return piece;
    }

    // Nothing where it does not fit: ISA-L tells no bound for what cannot be compressed.
    Buffer by_isal(Bytes raw, int level, bool last) {
        if (!stream) stream = std::make_unique<isal_zstream>();
        stream_buffer.resize(std::max(ISAL_DEF_LVL1_DEFAULT, ISAL_DEF_LVL3_DEFAULT));
        packed.resize(std::max(packed.size(), raw.size() + raw.size() / 16 + 1024));
        isal_deflate_init(stream.get());
        stream->level = static_cast<std::uint32_t>(level);
        stream->level_buf = stream_buffer.data();
        stream->level_buf_size = static_cast<std::uint32_t>(stream_buffer.size());
        stream->end_of_stream = last ? 1 : 0;
        stream->flush = last ? NO_FLUSH : SYNC_FLUSH;
        // Its interface has no const; it does not write to its input.
        stream->next_in = reinterpret_cast<std::uint8_t*>(const_cast<std::byte*>(raw.data()));
        stream->avail_in = static_cast<std::uint32_t>(raw.size());
        stream->next_out = reinterpret_cast<std::uint8_t*>(packed.data());
        stream->avail_out = static_cast<std::uint32_t>(packed.size());
        const bool whole = isal_deflate(stream.get()) == COMP_OK && stream->avail_in == 0 && stream->avail_out > 0;
        return whole ? taken(stream->total_out) : Buffer{};
    }
};

PieceDeflater::PieceDeflater() : state_(std::make_unique<State>()) {}
PieceDeflater::~PieceDeflater() = default;
PieceDeflater::PieceDeflater(PieceDeflater&&) noexcept = default;

std::vector<std::byte> PieceDeflater::deflate(Bytes raw, DeflateMethod method, bool last) {
    if (raw.empty() && last) return {std::begin(last_of_nothing), std::end(last_of_nothing)};
    if (method.library == Library::isal) {
        auto piece = state_->by_isal(raw, method.level, last);
        if (!piece.empty()) return piece;
        method = always_works;
    }
    return state_->by_libdeflate(raw, method.level, last);
}

}  // namespace pgbakd::codec
