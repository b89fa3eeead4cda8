// A bucket of an S3 service, or a prefix in one.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "async/pool.hpp"
#include "target/retry.hpp"
#include "target/s3_client.hpp"
#include "target/target.hpp"

namespace pgbakd::target {

struct S3Options {
    std::string name;  // the target's, as the configuration has it
    const S3Profile* profile = nullptr;
    S3Endpoint endpoint;          // of parse_endpoint()
    std::string region;           // of the configuration, else the profile's
    std::string prefix;           // before every key, without "/" at its ends; may be empty
    std::string storage_class;    // of check_storage_class(); empty: the bucket's own
    std::string encryption;       // "AES256", "aws:kms"; empty: the bucket's own
    std::uint64_t part_size = 0;  // bytes; 0: as needed
    std::uint64_t concurrent_parts = 4;
    // Where parts of more than most_in_memory (s3_parts.hpp) wait until they are sent, in files without names.
    std::filesystem::path spool_directory = "/var/tmp";
    http::Options http;
    RetryPolicy retry;  // of the parts of an upload and of its end; everything else is with_retry()'s
};

// Uploads follow the retry policy themselves: hand them out as they are. Each holds up to part_memory, and parts that
// are too large for that on the disk. Hashes are computed on the pool, which must outlive the
// target, as the clock must.
[[nodiscard]] std::shared_ptr<Target> make_s3_target(const asio::any_io_executor& executor, S3Options options,
                                                     std::shared_ptr<CredentialSource> credentials, async::Pool& pool,
                                                     const base::Clock& clock);

}  // namespace pgbakd::target
