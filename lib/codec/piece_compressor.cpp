#include <libdeflate.h>
#include <zstd.h>

#include <algorithm>
#include <new>

#include "codec/compress.hpp"

namespace pgbakd::codec {

namespace {

struct FreeDeflate {
    void operator()(libdeflate_compressor* compressor) const noexcept { libdeflate_free_compressor(compressor); }
};
struct FreeZstd {
    void operator()(ZSTD_CCtx* context) const noexcept { ZSTD_freeCCtx(context); }
};

// Neither library can fail on a buffer of the size it asked for; if one does, it is broken.
[[noreturn]] void compressor_failed(const char* library) {
    throw base::Error(base::ErrorCode::internal, std::string(library) + " failed to compress a piece");
}

}  // namespace

struct PieceCompressor::State {
    Compression compression;
    std::unique_ptr<libdeflate_compressor, FreeDeflate> deflate;
    std::unique_ptr<ZSTD_CCtx, FreeZstd> zstd;
    std::vector<std::byte> scratch;  // as large as the largest piece so far could become

    [[nodiscard]] std::size_t bound(std::size_t raw) const {
        return deflate ? libdeflate_gzip_compress_bound(deflate.get(), raw) : ZSTD_compressBound(raw);
    }
};

PieceCompressor::PieceCompressor(const Compression& compression) : state_(std::make_unique<State>()) {
    state_->compression = compression;
    switch (compression.method) {
        case Method::none: break;
        case Method::gzip:
            state_->deflate.reset(libdeflate_alloc_compressor(std::clamp(compression.level, 1, 12)));
            if (!state_->deflate) throw std::bad_alloc();
            break;
        case Method::zstd:
            state_->zstd.reset(ZSTD_createCCtx());
            if (!state_->zstd) throw std::bad_alloc();
            ZSTD_CCtx_setParameter(state_->zstd.get(), ZSTD_c_compressionLevel, std::clamp(compression.level, 1, 19));
            ZSTD_CCtx_setParameter(state_->zstd.get(), ZSTD_c_checksumFlag, 1);
            break;
    }
}

PieceCompressor::~PieceCompressor() = default;
PieceCompressor::PieceCompressor(PieceCompressor&&) noexcept = default;

std::vector<std::byte> PieceCompressor::compress(Bytes raw) {
    if (state_->compression.method == Method::none) return {raw.begin(), raw.end()};
    auto& scratch = state_->scratch;
    scratch.resize(std::max(scratch.size(), state_->bound(raw.size())));
    std::size_t size = 0;
    if (state_->deflate) {
        size = libdeflate_gzip_compress(state_->deflate.get(), raw.data(), raw.size(), scratch.data(), scratch.size());
        if (size == 0) compressor_failed("libdeflate");
    } else {
        size = ZSTD_compress2(state_->zstd.get(), scratch.data(), scratch.size(), raw.data(), raw.size());
        if (ZSTD_isError(size) != 0) compressor_failed("libzstd");
    }
    return {scratch.begin(), scratch.begin() + static_cast<std::ptrdiff_t>(size)};
}

}  // namespace pgbakd::codec
