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

}  // namespace pgbakd::source
