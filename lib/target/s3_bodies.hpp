// The documents that are sent to S3.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace pgbakd::target {

struct SentPart {
    std::uint64_t number = 0;     // from 1, ascending
    std::string etag;             // as the answer to the part had it, without quotes
    std::string checksum_sha256;  // Base64, where it was sent with the part; else empty
};
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html
[[nodiscard]] std::string complete_body(std::span<const SentPart> parts);

// At most 1,000 keys, without an answer for those that are deleted.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
[[nodiscard]] std::string delete_body(std::span<const std::string> keys);

}  // namespace pgbakd::target
