// What a base backup was found to hold, file by file, to be compared with its manifest, which comes last. The server
// adds a file to the manifest right after it has sent it (AddFileToBackupManifest in PostgreSQL's basebackup.c), so
// both are in the same order: one pass over each, and nothing to look up in.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codec/backup_manifest.hpp"
#include "codec/sink.hpp"

namespace pgbakd::codec {

// Where the ledger is kept: all that was written is read back, once.
class LedgerStore {
  public:
    LedgerStore() = default;
    LedgerStore(const LedgerStore&) = delete;
    LedgerStore& operator=(const LedgerStore&) = delete;
    virtual ~LedgerStore() = default;
    // Never after the first read(). Both throw what the disk brings.
    virtual void write(Bytes bytes) = 0;
    // At least one byte, or 0 at the end.
    virtual std::size_t read(std::span<std::byte> into) = 0;
};

class BackupLedger {
  public:
    // Some 20 bytes for each file go into the store: the paths share what they have in common with the one before.
    explicit BackupLedger(std::unique_ptr<LedgerStore> store) : store_(std::move(store)) {}

    // A file that was received.
    void add(std::string_view path, std::uint64_t size, std::uint32_t crc);
    [[nodiscard]] std::uint64_t files() const noexcept { return files_; }

    // The next file of the manifest, after the last add(). Fails with `corrupt` and names the file that is missing,
    // surplus, or of another size or checksum.
    [[nodiscard]] base::Status compare(const ManifestFile& file);
    // After the last of them: nothing is left over.
    [[nodiscard]] base::Status finish();

  private:
    struct Record {
        std::string path;
        std::uint64_t size = 0;
        std::uint32_t crc = 0;
    };
    void put_number(std::uint64_t number);
    void flush();
    bool fill();
    std::byte take();
    std::uint64_t take_number();
    bool next();

    std::unique_ptr<LedgerStore> store_;
    std::vector<std::byte> buffer_;
    std::size_t used_ = 0;  // of the buffer, while reading
    bool reading_ = false;
    std::uint64_t files_ = 0;
    Record last_;  // that was written, or read
};

}  // namespace pgbakd::codec
