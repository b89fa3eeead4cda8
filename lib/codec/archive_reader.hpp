// Reads a pg_dump archive that is pushed into it and tells a handler what comes by, in bounded memory: nothing is kept
// but a few bytes per entry of the table of contents. Written after PostgreSQL's src/bin/pg_dump/pg_backup_archiver.c
// (ReadHead, ReadToc, ReadInt, ReadStr, ReadOffset) and pg_backup_custom.c; archive versions 1.12 (PostgreSQL 9.0) to
// 1.16 (17 and 18).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "codec/archive_fields.hpp"
#include "codec/archive_index.hpp"
#include "codec/sink.hpp"

namespace pgbakd::codec {

// How the data blocks (or the data files) are compressed; the numbers are those of the header since version 1.15.
enum class ArchiveCompression { none = 0, gzip = 1, lz4 = 2, zstd = 3 };

struct ArchiveHeader {
    int minor = 0;  // of version 1.x
    int revision = 0;
    int integer_size = 4;
    int offset_size = 8;
    int format = 1;  // pg_dump's code: 1 custom, 3 tar (also toc.dat of a directory), 5 directory
    ArchiveCompression compression = ArchiveCompression::none;
    int level = 0;  // before 1.15 only, as the header has it: -1 is zlib's default, 0 is no compression
    // Local time of the dump, as struct tm has it.
    int second = 0, minute = 0, hour = 0, day = 0, month = 0, year = 0, daylight = 0;
    std::optional<std::string> database;
    std::optional<std::string> server_version;
    std::optional<std::string> dump_version;
    std::int64_t entries = 0;

    [[nodiscard]] std::string version() const { return "1." + std::to_string(minor); }
};

// Where an entry's data begins, as the table of contents has it (custom format): pg_dump can fill it in only when its
// output is seekable.
enum class DataPosition { unknown = 1, known = 2, no_data = 3 };

// One entry of the table of contents. A string that the archive marks as absent is nullopt.
struct ArchiveEntry {
    std::int32_t dump_id = 0;
    bool has_data = false;  // pg_dump had a data dumper for it: its data must be in the archive
    std::optional<std::string> table_oid, oid, tag, description;
    int section = 0;  // 1 none, 2 pre-data, 3 data, 4 post-data
    std::optional<std::string> definition, drop_statement, copy_statement, schema, tablespace;
    std::optional<std::string> table_access_method;  // since 1.14
    int relation_kind = 0;                           // since 1.16
    std::optional<std::string> owner, with_oids;
    std::vector<std::int32_t> dependencies;
    DataPosition data_position = DataPosition::unknown;  // custom format
    std::uint64_t data_offset = 0;                       // custom format
    std::optional<std::string> file_name;                // directory format; empty when there is no data

    [[nodiscard]] bool is(std::string_view wanted) const { return description && *description == wanted; }
    // "schema.table", as it is shown to people.
    [[nodiscard]] std::string qualified_name() const;
};

// Events, in the order of the file. A failure ends the reading and is what write() returns.
class ArchiveHandler {
  public:
    ArchiveHandler() = default;
    ArchiveHandler(const ArchiveHandler&) = delete;
    ArchiveHandler& operator=(const ArchiveHandler&) = delete;
    virtual ~ArchiveHandler() = default;

    [[nodiscard]] virtual base::Status on_header(const ArchiveHeader& header) = 0;
    // The entry may be moved from.
    [[nodiscard]] virtual base::Status on_toc_entry(ArchiveEntry& entry) = 0;
    [[nodiscard]] virtual base::Status on_toc_end() { return {}; }
    // The block of one entry: on_data… if it is a table's, any number of large objects if it is "BLOBS".
    [[nodiscard]] virtual base::Status on_data_begin(std::int32_t dump_id) = 0;
    [[nodiscard]] virtual base::Status on_large_object_begin(std::uint32_t oid) = 0;
    // Bytes as they stand in the archive, compressed or not; how they were cut into chunks is not preserved.
    [[nodiscard]] virtual base::Status on_data(Bytes stored) = 0;
    // The stream of the current large object, or of the current table, is complete.
    [[nodiscard]] virtual base::Status on_stream_end() = 0;
    [[nodiscard]] virtual base::Status on_data_end(std::int32_t dump_id) = 0;
};

// The two forms in which the same header and table of contents occur.
enum class ArchiveForm {
    custom,   // pg_dump -Fc: the data blocks follow the table of contents
    toc_file  // toc.dat of pg_dump -Fd: nothing follows
};

// One oddity is accepted: pg_dump 16 and later, writing to a standard output that is a regular file, opens it for
// appending, so that the table of contents it meant to rewrite in place (now with offsets) stands a second time at the
// end of the file. That copy must equal the first one; it causes no events.
//
// Fails with `unsupported` on another version, else with `corrupt` and a message that says where: an archive that ends
// early, goes on after its last block, has a block that no entry announces, twice the same, or lacks one. Lengths are
// never trusted: memory grows only with bytes that really came, and no entry may be larger than 256 MiB.
// `handler` must outlive the reader.
class ArchiveReader final : public Sink {
  public:
    ArchiveReader(ArchiveForm form, ArchiveHandler& handler);
    [[nodiscard]] base::Status write(Bytes bytes) override;
    [[nodiscard]] base::Status finish() override;
    // Bytes taken so far.
    [[nodiscard]] std::uint64_t offset() const noexcept { return offset_; }

  private:
    // What is read next. The order within the header and within an entry is the file's.
    enum class Step {
        prefix,
        compression,
        second,
        minute,
        hour,
        day,
        month,
        year,
        daylight,
        database,
        server_version,
        dump_version,
        entry_count,
        dump_id,
        has_data,
        table_oid,
        oid,
        tag,
        description,
        section,
        definition,
        drop_statement,
        copy_statement,
        schema,
        tablespace,
        table_access_method,
        relation_kind,
        owner,
        with_oids,
        dependency,
        data_position,
        file_name,
        block_type,
        block_entry,
        large_object,
        chunk_length,
        chunk,
        entry_count_again,
        nothing
    };

    base::Status expect(Step step);
    base::Status accept();
    base::Status accept_header();
    base::Status accept_entry();
    base::Status accept_block();
    base::Status accept_prefix();
    base::Status accept_compression();
    base::Status accept_text(std::optional<std::string>& field);
    base::Status accept_dependency();
    base::Status accept_data_position();
    base::Status end_header();
    base::Status end_entry();
    base::Status end_toc();
    base::Status end_repeated_entry();
    base::Status begin_repeated_toc();
    base::Status begin_block(std::int64_t id);
    base::Status begin_large_object(std::int64_t oid);
    base::Status begin_chunk(std::int64_t length);
    base::Status end_block();
    base::Status take_chunk(Bytes bytes);
    base::Result<std::size_t> take_whole_chunks(Bytes bytes);
    [[nodiscard]] static bool has_text(Step step) noexcept;
    [[nodiscard]] std::size_t width(Step step) const noexcept;
    [[nodiscard]] Step after(Step step) const noexcept;
    [[nodiscard]] std::string place() const;
    [[nodiscard]] base::Error damaged(const std::string& fact) const;
    [[nodiscard]] base::Error located(const base::Error& error) const;

    ArchiveForm form_;
    ArchiveHandler& handler_;
    Step step_ = Step::prefix;
    FieldCollector field_;
    std::uint64_t offset_ = 0;
    ArchiveHeader header_;
    ArchiveEntry entry_;
    std::int64_t entries_read_ = 0;
    std::size_t entry_bytes_ = 0;  // of strings and dependencies in the current entry
    std::uint64_t digest_ = 0;     // of the table of contents without its offsets
    std::uint64_t first_digest_ = 0;
    bool repeated_ = false;  // in the table of contents for the second time
    ArchiveIndex index_;
    ArchiveIndex::Block* block_ = nullptr;  // whose data is being read
    std::uint64_t block_offset_ = 0;
    int block_type_ = 0;
    std::uint32_t large_object_ = 0;
    std::uint64_t chunk_remaining_ = 0;
};

}  // namespace pgbakd::codec
