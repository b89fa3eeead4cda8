// Inside this folder only: the parts of a check that read pg_dump archives.
#pragma once

#include "codec/archive_reader.hpp"
#include "codec/check.hpp"
#include "codec/stream_decoder.hpp"

namespace pgbakd::codec {

// Counts what passes.
class CountingSink final : public Sink {
  public:
    base::Status write(Bytes bytes) override {
        count_ += bytes.size();
        return {};
    }
    base::Status finish() override { return {}; }
    [[nodiscard]] std::uint64_t count() const noexcept { return count_; }

  private:
    std::uint64_t count_ = 0;
};

// Whether data that was empty may stand there as no bytes at all. zlib's stream of nothing has bytes; pg_dump 17 writes
// an empty large object compressed with zstd or lz4 to an empty file, and pg_restore reads it as such.
[[nodiscard]] bool may_be_nothing(ArchiveCompression compression) noexcept;

void note_header(CheckResult& result, const ArchiveHeader& header);
void note_entry(CheckResult& result, const ArchiveEntry& entry);

[[nodiscard]] std::unique_ptr<Check> make_custom_archive_check();
[[nodiscard]] std::unique_ptr<Check> make_directory_archive_check();
// `required`: a file that must be there, and not empty; none where it is empty itself.
[[nodiscard]] std::unique_ptr<Check> make_tar_check(std::string required = {});
// A backup manifest by itself.
[[nodiscard]] std::unique_ptr<Check> make_manifest_check();
// The first and the last comment that the text must have ("PostgreSQL database dump complete").
[[nodiscard]] std::unique_ptr<Check> make_plain_check(std::string_view beginning, std::string_view ending);

}  // namespace pgbakd::codec
