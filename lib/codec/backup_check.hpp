// Checks of a base backup's artifacts against each other: every file of its tars against the backup manifest, as
// pg_verifybackup does it with an unpacked one, and the WAL that makes them consistent. All while they are made.
#pragma once

#include <memory>
#include <string>

#include "codec/backup_ledger.hpp"
#include "codec/check.hpp"

namespace pgbakd::codec {

class BackupRecord;

// Of one attempt at a backup, shared by its checks. `wal_segment_size`: the server's, in bytes.
[[nodiscard]] std::shared_ptr<BackupRecord> make_backup_record(std::unique_ptr<LedgerStore> store,
                                                               std::uint64_t wal_segment_size);

// The tars, one after another in the order in which the server sends them. `prefix`: what stands before their paths in
// the manifest, "pg_tblspc/16400/" or nothing.
[[nodiscard]] std::unique_ptr<Check> make_backup_tar_check(std::shared_ptr<BackupRecord> record, std::string prefix);
// The manifest, after all of them have come to their ends. Fails as BackupManifestReader and BackupLedger do, and where
// a segment of the WAL is missing.
[[nodiscard]] std::unique_ptr<Check> make_backup_manifest_check(std::shared_ptr<BackupRecord> record);

}  // namespace pgbakd::codec
