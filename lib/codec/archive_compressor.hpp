// The other two steps of compressing a pg_dump archive (see archive_batch.hpp): each batch by itself, as many at once
// as there are processors, and then one after another into the archive that pg_dump would have written.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "codec/archive_batch.hpp"

namespace pgbakd::codec {

// What became of a batch.
struct CompressedBatch {
    struct Segment {
        // As in the archive; of a stream that is not whole in this batch only the compressed bytes, without the lengths
        // of chunks.
        std::vector<std::byte> bytes;
        bool is_piece = false;  // of such a stream
        bool last = false;      // of its pieces
        // Of a piece: what it was inflated to again, and its Adler-32.
        std::uint64_t raw_bytes = 0;
        std::uint32_t raw_checksum = 1;
        std::uint32_t checksum = 1;  // with the last one: of what was read of the stream, from its beginning on
    };
    std::vector<Segment> segments;
    std::uint64_t whole_bytes = 0;  // in the streams that are whole in this batch, before compression
    int integer_size = 4;
};

// Compresses by libdeflate, inflates what came of it and compares that with what it was. Reuses its buffers: one object
// per pool task at a time.
class ArchiveCompressor {
  public:
    explicit ArchiveCompressor(const Compression& compression);
    ~ArchiveCompressor();
    ArchiveCompressor(ArchiveCompressor&&) noexcept;
    // Throws `corrupt` when the two differ: then this host's memory, or processor, is not to be trusted.
    [[nodiscard]] CompressedBatch compress(const ArchiveBatch& batch);

  private:
    struct State;
    std::unique_ptr<State> state_;
};

// Puts the batches together, in their order. Pieces of one stream become one zlib stream in chunks of some 4 MiB, far
// larger than pg_dump's own (4 KiB): a pg_restore that looks for a table seeks from one chunk to the next.
class ArchiveJoiner {
  public:
    using Output = std::function<void(std::vector<std::byte>)>;
    // What becomes complete goes to `output`. Throws `corrupt` when the pieces of a stream do not add up to what was
    // read of it.
    void add(CompressedBatch batch, const Output& output);
    // Throws when a stream has no end.
    void finish() const;
    // Before compression, of the data blocks: of what was inflated again.
    [[nodiscard]] std::uint64_t raw_bytes() const noexcept { return raw_bytes_; }

  private:
    void add_piece(CompressedBatch::Segment segment, int integer_size, const Output& output);
    void end_chunk(int integer_size, const Output& output);

    std::vector<std::vector<std::byte>> chunk_;  // the pieces it will have
    std::size_t chunk_bytes_ = 0;
    bool in_stream_ = false;
    std::uint32_t checksum_ = 1;  // of the stream's pieces so far
    std::uint64_t raw_bytes_ = 0;
};

}  // namespace pgbakd::codec
