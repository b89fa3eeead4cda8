// The first step of compressing a pg_dump archive: what pg_dump wrote with --compress=0 is cut into batches, each of
// which is compressed by itself (archive_compressor.hpp), and which are then put together again (archive_joiner.hpp).
// Format: PostgreSQL's src/bin/pg_dump/pg_backup_custom.c and pg_backup_archiver.c; see archive_reader.hpp.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "codec/archive_reader.hpp"
#include "codec/compress.hpp"
#include "codec/deflate_choice.hpp"

namespace pgbakd::codec {

// About 1 MiB, however many tables' data that is; a longer one's goes on in the next.
struct ArchiveBatch {
    struct Item {
        enum class Kind {
            frame,  // bytes that stand in the archive as they are
            stream  // a piece of what one table or one large object holds
        };
        Kind kind{};
        std::size_t size = 0;  // in `bytes`, behind those of the items before
        // Of a piece: whether its stream begins or ends with it. The last one may have no bytes.
        bool first = false;
        bool last = false;
        std::uint32_t checksum = 1;  // Adler-32 of the whole stream, with its last piece
    };
    std::vector<std::byte> bytes;
    std::vector<Item> items;
    int integer_size = 4;  // as the archive has it
    DeflateMethod method;
};

// Whether this program compresses a custom archive itself: gzip at the levels that pg_dump has too.
[[nodiscard]] bool compresses_archives(const Compression& compression) noexcept;
// The same of what pg_dump of this major version writes: the versions of the format are known up to 18.
[[nodiscard]] bool knows_archives_of(int pg_dump_major) noexcept;

// Reads an archive as pg_dump -Fc --compress=0 writes it. Its header and table of contents go on as they are, but for
// the compression they tell of. Fails as ArchiveReader does, and with `unsupported` on an archive that is compressed.
class ArchiveSplitter final : public Sink, private ArchiveHandler {
  public:
    explicit ArchiveSplitter(const Compression& compression);
    [[nodiscard]] base::Status write(Bytes bytes) override;
    [[nodiscard]] base::Status finish() override;
    // The batches that are complete; all of them after finish().
    [[nodiscard]] std::vector<std::shared_ptr<ArchiveBatch>> take();
    // One that is needed no more: its memory takes another.
    void reuse(std::shared_ptr<ArchiveBatch> batch);

  private:
    base::Status on_header(const ArchiveHeader& header) override;
    base::Status on_toc_entry(ArchiveEntry& entry) override;
    base::Status on_toc_end() override;
    base::Status on_data_begin(std::int32_t dump_id) override;
    base::Status on_large_object_begin(std::uint32_t oid) override;
    base::Status on_data(Bytes stored) override;
    base::Status on_stream_end() override;
    base::Status on_data_end(std::int32_t dump_id) override;

    using Item = ArchiveBatch::Item;
    void copy_head();
    void begin_batch();
    void end_batch();
    void choose_method();
    void make_room();
    void add_frame(Bytes bytes);
    void add_integer(std::int64_t value);
    void begin_stream();
    void end_piece();
    [[nodiscard]] bool holds_large_objects(std::int32_t dump_id) const;

    Compression compression_;
    DeflateChoice choice_;
    ArchiveReader reader_{ArchiveForm::custom, *this};
    int integer_size_ = 4;
    bool in_header_ = true;
    bool in_head_ = true;             // in the header or in the table of contents
    Bytes input_;                     // of the write() under way
    std::uint64_t input_offset_ = 0;  // where it stands in the archive
    std::uint64_t copied_ = 0;        // of the archive's head
    std::vector<std::byte> header_;   // as far as it came, until it is complete
    std::vector<std::int32_t> large_objects_;
    std::shared_ptr<ArchiveBatch> batch_;
    std::vector<std::shared_ptr<ArchiveBatch>> ready_, used_;
    std::size_t piece_begin_ = 0;  // in the batch's bytes, of the piece under way
    bool in_piece_ = false;        // the batch's last item is under way
    bool stream_begins_ = false;   // its first piece is yet to come
    std::uint32_t checksum_ = 1;   // of the stream as far as its pieces have ended
};

}  // namespace pgbakd::codec
