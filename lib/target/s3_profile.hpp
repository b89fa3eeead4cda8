// What differs between the services that speak S3, as one table of facts.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace pgbakd::target {

enum class Provider { aws, r2, oss, cos, minio, other };

enum class Addressing {
    path,          // https://endpoint/bucket/key
    virtual_host,  // https://bucket.endpoint/key
};

// How a put is told not to replace an object.
enum class NoReplace {
    if_none_match,     // "If-None-Match: *" on PutObject and CompleteMultipartUpload; 412: it exists
    forbid_overwrite,  // a header of the provider's own (forbid_overwrite_header); without effect in versioned buckets
    none,              // not known to be kept: look first
};

// Whether a part and a small object carry x-amz-checksum-sha256 besides the signed hash.
enum class ChecksumHeader { sha256, none };

// Whether the service is known to compare the SHA-256 that is signed (x-amz-content-sha256) with the body that arrived,
// and refuses another one.
enum class SignedHash {
    compared,
    unknown,  // its word is not enough: parts of what it holds are read back
};

enum class Encryption {
    by_header,  // x-amz-server-side-encryption: AES256 or aws:kms
    always,     // everything is encrypted with AES-256 anyway and the header refused: it is not sent
};

struct S3Profile {
    Provider provider;
    std::string_view name;  // as the configuration has it
    std::uint64_t most_parts;
    std::uint64_t least_part;   // bytes, but for the last one
    std::uint64_t most_part;    // bytes
    std::uint64_t most_object;  // bytes
    bool equal_parts;           // all but the last have one size, which the last does not exceed
    NoReplace no_replace;
    std::string_view forbid_overwrite_header;  // its value is "true"; empty if there is none
    ChecksumHeader checksum;
    SignedHash signed_hash;
    Encryption encryption;
    Addressing addressing;                              // unless the configuration says otherwise
    std::string_view region;                            // unless the configuration names one; empty: it has to
    std::span<const std::string_view> storage_classes;  // empty: not known, whatever is given is sent
};

[[nodiscard]] const S3Profile& s3_profile(Provider provider) noexcept;
// By the name of the configuration; nothing for an unknown one.
[[nodiscard]] const S3Profile* find_s3_profile(std::string_view name) noexcept;

// Whether the provider has that storage class. Error: invalid_configuration, with those it has.
[[nodiscard]] base::Status check_storage_class(const S3Profile& profile, std::string_view storage_class);

}  // namespace pgbakd::target
