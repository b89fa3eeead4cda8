// A backup set: what one successful run left, as its manifest.json describes it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/identifier.hpp"
#include "base/result.hpp"
#include "model/database_properties.hpp"
#include "model/names.hpp"

namespace pgbakd::model {

inline constexpr std::string_view manifest_format = "pgbakd-set/1";
inline constexpr std::string_view manifest_file = "manifest.json";

// Each level includes those above it (docs/repository.md).
enum class Verification { none, hashed, read_back, decoded, proven };
[[nodiscard]] std::string_view verification_text(Verification level) noexcept;  // "read back" …
[[nodiscard]] base::Result<Verification> parse_verification(std::string_view text);

struct Artifact {
    std::string file;             // name inside the set's directory
    std::string kind;             // "database", "globals", "base", "tablespace", "manifest", "files", "command"
    std::string database;         // as the server spells it; empty where it is none
    std::string format;           // "custom", "plain", "directory", "taosdump", "tar", "backup_manifest", "raw"
    std::uint64_t bytes = 0;      // of the file
    std::uint64_t raw_bytes = 0;  // before compression
    std::string sha256;
    std::string compression;  // "gzip:6", "none"
    std::string encryption;   // empty: not encrypted
    Verification verified = Verification::none;
    base::Timestamp verified_at{};
};

struct TableCount {
    std::string schema;
    std::string table;
    std::uint64_t rows = 0;
    bool operator==(const TableCount&) const = default;
};

struct DatabaseFacts {
    std::string database;
    std::string encoding;
    std::string collation;  // for people: "de_DE.UTF-8", "icu:de-DE"
    std::optional<DatabaseProperties> properties;
    std::string snapshot;                 // exported snapshot's id; empty without fingerprint
    std::string snapshot_lsn;             // WAL position at the snapshot (on a standby: replayed)
    std::vector<std::string> extensions;  // "name version"
    bool fingerprinted = false;
    std::vector<TableCount> fingerprint;
    std::optional<std::uint64_t> rows{};  // of all tables, as the dump's own program counted them (taosdump)
};

// Of a backup of a whole cluster: what restoring it needs to know.
struct BaseBackupFacts {
    struct Tablespace {
        std::uint32_t oid = 0;
        std::string name;
        std::string location;  // on the server it comes from
        bool operator==(const Tablespace&) const = default;
    };
    std::string start_lsn;  // the WAL from here, "0/2000028" …
    std::uint32_t start_timeline = 0;
    std::string end_lsn;  // … up to here makes it consistent, and is in it
    std::uint32_t end_timeline = 0;
    std::vector<Tablespace> tablespaces;  // beside the data directory
    bool operator==(const BaseBackupFacts&) const = default;
};

struct MissingPart {
    std::string database;
    std::string reason;
};

struct BackupSet {
    SetId id;
    base::RunId run;
    std::string host;
    std::string trigger;    // trigger_text()
    std::string milestone;  // empty: none
    base::Timestamp started_at{};
    base::Timestamp finished_at{};
    std::string timezone;          // of the job; started_at and finished_at are printed in it
    std::string started_at_local;  // RFC 3339 with the zone's offset
    std::string finished_at_local;
    bool complete = true;  // false: some databases could not be dumped (see missing)
    std::vector<MissingPart> missing;

    struct Source {
        std::string type = "pg_dump";
        std::string server;
        std::vector<std::string> databases;
        std::string server_version;     // "15.8 (Debian 15.8-0+deb12u1)"
        int server_version_number = 0;  // 150008
        std::string client_version;     // "pg_dump (PostgreSQL) 15.8"
        std::string system_identifier;
        std::optional<BaseBackupFacts> base_backup{};  // only of one
    } source;

    std::vector<std::string> recipients;  // of encrypted artifacts: public keys
    std::vector<Artifact> artifacts;
    std::vector<DatabaseFacts> databases;
    std::vector<std::string> restore_order;  // file names
    std::vector<std::string> stock_restore;  // shell commands, run in the set's directory
    struct System {
        std::string hostname;
        std::string user;
        std::string pgbakd_version;
    } system;

    [[nodiscard]] std::uint64_t bytes() const noexcept;
    // The lowest level of its artifacts; none without artifacts.
    [[nodiscard]] Verification verified() const noexcept;
};

// A manifest's file names become paths, so a hostile one must not lead anywhere: no "/", no leading ".", no control
// characters, none of the names the repository itself uses. Error: corrupt.
[[nodiscard]] base::Status check_artifact_file(std::string_view file);

// manifest.json, indented, with a final newline. Reading is strict about the format and bounded (64 MiB, depth 16);
// keys it does not know are ignored, so that a newer manifest stays readable. Errors: corrupt, unsupported.
[[nodiscard]] std::string to_manifest(const BackupSet& set);
[[nodiscard]] base::Result<BackupSet> parse_manifest(std::string_view text);

}  // namespace pgbakd::model
