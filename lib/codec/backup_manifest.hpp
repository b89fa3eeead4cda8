// PostgreSQL's backup manifest (its manual, "Backup Manifest Format"; src/backend/backup/backup_manifest.c), pushed and
// told entry by entry: of any size, in bounded memory.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "codec/sink.hpp"

namespace pgbakd::codec {

struct ManifestFile {
    std::string path;  // below the data directory, of a tablespace's files "pg_tblspc/<oid>/…"; any bytes
    std::uint64_t size = 0;
    std::string algorithm;  // "CRC32C", "SHA256", …; empty: without a checksum
    std::string checksum;   // hexadecimal, as it is written there
};

// The WAL that a restored server must read: from `begin` up to `end`.
struct WalRange {
    std::uint32_t timeline = 0;
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
};

class ManifestHandler {
  public:
    ManifestHandler() = default;
    ManifestHandler(const ManifestHandler&) = delete;
    ManifestHandler& operator=(const ManifestHandler&) = delete;
    virtual ~ManifestHandler() = default;
    // In the manifest's order. A failure ends the reading.
    [[nodiscard]] virtual base::Status on_file(const ManifestFile& file) = 0;
    [[nodiscard]] virtual base::Status on_wal_range(const WalRange& range) = 0;
};

// Fails with `corrupt` where the bytes are no manifest, and at the end where its own checksum is not that of its bytes;
// with `unsupported` for a version other than 1 and 2. `handler` must outlive the reader.
class BackupManifestReader final : public Sink {
  public:
    explicit BackupManifestReader(ManifestHandler& handler);
    ~BackupManifestReader() override;
    [[nodiscard]] base::Status write(Bytes bytes) override;
    [[nodiscard]] base::Status finish() override;

  private:
    class Reading;
    std::unique_ptr<Reading> reading_;
};

// "16/B374D848", as PostgreSQL writes a position in the WAL.
[[nodiscard]] base::Result<std::uint64_t> parse_lsn(std::string_view text);

}  // namespace pgbakd::codec
