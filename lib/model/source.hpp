// What a job reads, as an administrator declared it: one kind of source for each program or thing.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "model/secret_reference.hpp"

namespace pgbakd::model {

enum class DumpFormat { custom, plain, directory };
enum class FingerprintKind { none, counts };

// Databases of a PostgreSQL server, by pg_dump.
struct PgDumpSource {
    std::string server;
    bool all_databases = false;
    std::vector<std::string> databases;  // empty with all_databases
    std::vector<std::string> exclude;    // only with all_databases
    DumpFormat format = DumpFormat::custom;
    bool globals = false;
    int jobs = 1;  // directory format only
    std::chrono::milliseconds lock_wait_timeout = std::chrono::seconds(60);
    std::vector<std::string> options;
    FingerprintKind fingerprint = FingerprintKind::counts;
};

enum class Checkpoint { fast, spread };

// A whole PostgreSQL cluster, by the protocol that pg_basebackup speaks.
struct PgBasebackupSource {
    std::string server;
    Checkpoint checkpoint = Checkpoint::fast;  // that the server makes first: at once, or over its usual time
    std::uint64_t max_rate = 0;                // bytes per second, as the server sends; 0: unlimited
};

// Databases of a TDengine server, by taosdump.
struct TaosdumpSource {
    std::string server;
    bool all_databases = false;
    std::vector<std::string> databases;  // empty with all_databases
};

// What a program writes to its standard output.
struct CommandSource {
    struct Variable {
        std::string name;
        SecretReference value;
    };
    std::vector<std::string> argv;      // argv[0]: a path, or a name that PATH finds
    std::vector<Variable> environment;  // beside PATH, HOME, USER, LANG, LC_*, TZ and TMPDIR of the daemon
    std::filesystem::path working_directory = "/";
    std::vector<int> exit_codes = {0};  // that mean success; ascending
    std::string extension = "out";      // of the artifact, without a dot
};

// Files and trees of this host.
struct FilesSource {
    std::vector<std::filesystem::path> paths;  // absolute
    std::vector<std::string> exclude;          // as PathExcludes::parse() takes them
    std::vector<std::string> redact;           // as KeyPatterns::parse() takes them
    bool other_file_systems = false;           // also what is mounted below a path
    friend bool operator==(const FilesSource&, const FilesSource&) = default;
};

using Source = std::variant<PgDumpSource, CommandSource, FilesSource, PgBasebackupSource, TaosdumpSource>;

// As the configuration and the manifest name it: "pg_dump", "pg_basebackup", "taosdump", "command", "files".
[[nodiscard]] std::string_view source_type(const Source& source);
// The server it reads from; empty: none.
[[nodiscard]] const std::string& server_of(const Source& source);

}  // namespace pgbakd::model
