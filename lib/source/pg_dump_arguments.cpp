#include "source/pg_dump_arguments.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace pgbakd::source {
namespace {

std::string_view format_letter(model::DumpFormat format) {
    switch (format) {
        case model::DumpFormat::custom: return "custom";
        case model::DumpFormat::plain: return "plain";
        case model::DumpFormat::directory: return "directory";
    }
    return "custom";
}

// pg_dump 16 and later take METHOD:LEVEL, before that gzip's level only. Plain SQL is compressed by us, in parallel.
base::Result<std::string> compress_option(const postgres::ClientPrograms& programs, const DumpRequest& request) {
    if (request.format == model::DumpFormat::plain) return std::string("--compress=0");
    switch (request.compression.method) {
        case codec::Method::none: return std::string("--compress=0");
        case codec::Method::gzip: return fmt::format("--compress={}", std::min(request.compression.level, 9));
        case codec::Method::zstd: break;
    }
    if (programs.major < 16)
        return base::Error(base::ErrorCode::unsupported,
                           fmt::format("pg_dump {} cannot compress an archive with zstd", programs.major),
                           "use compression: gzip:6, or format: plain, or install a client of PostgreSQL 16 or later");
    return fmt::format("--compress=zstd:{}", request.compression.level);
}

std::string lock_wait(std::chrono::milliseconds timeout) {
    return fmt::format("--lock-wait-timeout={}", timeout.count());
}

}  // namespace

base::Result<std::vector<std::string>> pg_dump_arguments(const postgres::ClientPrograms& programs,
                                                         const DumpRequest& request) {
    const auto compress = compress_option(programs, request);
    if (!compress) return compress.error();
    std::vector<std::string> arguments{programs.pg_dump.string(), "--no-password",
                                       fmt::format("--format={}", format_letter(request.format)), *compress};
    if (request.lock_wait_timeout.count() > 0) arguments.push_back(lock_wait(request.lock_wait_timeout));
    if (!request.snapshot.empty()) arguments.push_back("--snapshot=" + request.snapshot);
    if (request.format == model::DumpFormat::directory) {
        arguments.push_back(fmt::format("--jobs={}", request.jobs));
        arguments.push_back("--file=" + request.directory.string());
        // The tar made of it is fsynced; these files are only passing through.
        arguments.emplace_back("--no-sync");
    }
    arguments.insert(arguments.end(), request.options.begin(), request.options.end());
    return arguments;
}

std::vector<std::string> pg_dumpall_arguments(const postgres::ClientPrograms& programs,
                                              std::chrono::milliseconds lock_wait_timeout, bool with_passwords) {
    std::vector<std::string> arguments{programs.pg_dumpall.string(), "--globals-only", "--no-password"};
    if (lock_wait_timeout.count() > 0) arguments.push_back(lock_wait(lock_wait_timeout));
    if (!with_passwords) arguments.emplace_back("--no-role-passwords");
    return arguments;
}

}  // namespace pgbakd::source
