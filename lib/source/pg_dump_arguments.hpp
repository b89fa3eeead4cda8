// The argument vectors of pg_dump and pg_dumpall. Pure.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "codec/compress.hpp"
#include "model/job.hpp"
#include "postgres/programs.hpp"

namespace pgbakd::source {

struct DumpRequest {
    model::DumpFormat format{};
    codec::Compression compression;
    std::chrono::milliseconds lock_wait_timeout{};
    int jobs = 1;
    std::string snapshot;             // empty: pg_dump takes its own
    std::filesystem::path directory;  // directory format only
    std::vector<std::string> options;
};
// Errors: unsupported, if these programs cannot do what the job asks (zstd before pg_dump 16).
[[nodiscard]] base::Result<std::vector<std::string>> pg_dump_arguments(const postgres::ClientPrograms& programs,
                                                                       const DumpRequest& request);
[[nodiscard]] std::vector<std::string> pg_dumpall_arguments(const postgres::ClientPrograms& programs,
                                                            std::chrono::milliseconds lock_wait_timeout,
                                                            bool with_passwords);

// The options that choose tables, so that a fingerprint over all tables would not match the dump.
[[nodiscard]] bool chooses_tables(const std::vector<std::string>& options);

// The role by whose rights pg_dump reads: the last --role, in any spelling that getopt_long takes. Empty: the
// connecting one's.
[[nodiscard]] std::string role_of(const std::vector<std::string>& options);

// --enable-row-security: rows that a policy hides are left out of the dump, and that is no failure.
[[nodiscard]] bool enables_row_security(const std::vector<std::string>& options);

}  // namespace pgbakd::source
