// Compression of independent pieces: each piece becomes a whole gzip member (RFC 1952) or a whole zstd frame (RFC
// 8878), and their concatenation is a standard file. So pieces are compressed in parallel, by whoever has a pool.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "codec/sink.hpp"

namespace pgbakd::codec {

enum class Method { none, gzip, zstd };

struct Compression {
    Method method = Method::gzip;
    int level = 6;  // gzip: 1–12 (libdeflate's), zstd: 1–19
    bool operator==(const Compression&) const = default;
};

// "none", "gzip", "gzip:9", "zstd", "zstd:3"; without a level 6 for gzip and 3 for zstd.
[[nodiscard]] base::Result<Compression> parse_compression(std::string_view text);
[[nodiscard]] std::string compression_text(const Compression& compression);
// ".gz", ".zst" or "".
[[nodiscard]] std::string_view file_extension(Method method) noexcept;

// How many raw bytes make a good piece: large enough that the loss against one stream is under 1 %.
[[nodiscard]] std::size_t piece_size(const Compression& compression) noexcept;

// One piece, compressed. Reuses its buffers and its compressor state: one object per pool task at a time.
class PieceCompressor {
  public:
    explicit PieceCompressor(const Compression& compression);
    ~PieceCompressor();
    PieceCompressor(PieceCompressor&&) noexcept;
    // The compressed piece (gzip member with CRC-32 and size, or zstd frame with checksum and content size). With
    // Method::none a copy. An empty piece gives a valid empty member or frame.
    [[nodiscard]] std::vector<std::byte> compress(Bytes raw);

  private:
    struct State;
    std::unique_ptr<State> state_;
};

// Decompresses a stream of members or frames into `next`, in bounded memory. Fails with `corrupt` on a wrong checksum,
// a wrong size, a stream that ends inside a member, trailing bytes that are no member, and on an empty stream.
// zstd windows above 128 MiB are refused. finish() finishes `next` too. `next` must outlive the decoder.
[[nodiscard]] std::unique_ptr<Sink> make_decoder(Method method, Sink& next);

}  // namespace pgbakd::codec
