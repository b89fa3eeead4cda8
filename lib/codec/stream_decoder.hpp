// Inside this folder only: a decompressor that is fed in pieces of any size and can be used for one stream after
// another without allocating anew (an archive has one stream per table and per large object).
#pragma once

#include <memory>

#include "codec/archive_reader.hpp"
#include "codec/compress.hpp"
#include "codec/sink.hpp"

namespace pgbakd::codec {

class StreamDecoder {
  public:
    StreamDecoder() = default;
    StreamDecoder(const StreamDecoder&) = delete;
    StreamDecoder& operator=(const StreamDecoder&) = delete;
    virtual ~StreamDecoder() = default;
    // Decompresses all of `bytes` into `next`. Fails with `corrupt`; after that only destruction is allowed.
    [[nodiscard]] virtual base::Status write(Bytes bytes, Sink& next) = 0;
    // The stream ends here: fails with `corrupt` when it may not. Afterwards a new stream can be written. What the
    // decoder still holds goes to `next`, which is not finished.
    [[nodiscard]] virtual base::Status end(Sink& next) = 0;
};

// Passes through; an empty stream is a good one.
[[nodiscard]] std::unique_ptr<StreamDecoder> make_stored_decoder();
// Exactly one zlib stream (RFC 1950): what pg_dump writes per data block.
[[nodiscard]] std::unique_ptr<StreamDecoder> make_zlib_decoder();
// One or more gzip members (RFC 1952).
[[nodiscard]] std::unique_ptr<StreamDecoder> make_gzip_decoder();
// One or more zstd frames (RFC 8878).
[[nodiscard]] std::unique_ptr<StreamDecoder> make_zstd_decoder();
// One or more LZ4 frames (https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md). Fails with `unsupported` when
// this program was built without liblz4.
[[nodiscard]] base::Result<std::unique_ptr<StreamDecoder>> make_lz4_decoder();

[[nodiscard]] std::unique_ptr<StreamDecoder> make_stream_decoder(Method method);
// For the data blocks of a custom archive. Fails as make_lz4_decoder does.
[[nodiscard]] base::Result<std::unique_ptr<StreamDecoder>> make_block_decoder(ArchiveCompression compression);

}  // namespace pgbakd::codec
