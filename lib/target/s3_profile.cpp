#include "target/s3_profile.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace pgbakd::target {
namespace {

constexpr std::uint64_t kib = 1024;
constexpr std::uint64_t mib = 1024 * kib;
constexpr std::uint64_t gib = 1024 * mib;
constexpr std::uint64_t tib = 1024 * gib;

// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html (classes whose objects can be read at once)
constexpr std::array<std::string_view, 8> aws_classes{
    "STANDARD",   "REDUCED_REDUNDANCY",  "STANDARD_IA",     "ONEZONE_IA",
    "GLACIER_IR", "INTELLIGENT_TIERING", "EXPRESS_ONEZONE", "OUTPOSTS"};
// https://developers.cloudflare.com/r2/api/s3/api/
constexpr std::array<std::string_view, 2> r2_classes{"STANDARD", "STANDARD_IA"};
// https://www.alibabacloud.com/help/en/oss/developer-reference/compatibility-with-amazon-s3 (IA is STANDARD_IA there)
constexpr std::array<std::string_view, 2> oss_classes{"STANDARD", "STANDARD_IA"};
// https://www.tencentcloud.com/document/product/436/33417
constexpr std::array<std::string_view, 5> cos_classes{"STANDARD", "STANDARD_IA", "INTELLIGENT_TIERING", "MAZ_STANDARD",
                                                      "MAZ_STANDARD_IA"};
// https://min.io/docs/minio/linux/administration/object-management.html (x-amz-storage-class: parity, not place)
constexpr std::array<std::string_view, 2> minio_classes{"STANDARD", "REDUCED_REDUNDANCY"};

constexpr std::array<S3Profile, 6> profiles{{
    // Parts and sizes: https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html. The object's limit was 5 TiB
    // until the end of 2025 and is 10,000 parts of 5 GiB since.
    // Conditions: https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
    // Checksums: https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
    // The signed hash: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html (XAmzContentSHA256Mismatch)
    {Provider::aws,
     "aws",
     10000,
     5 * mib,
     5 * gib,
     10000 * (5 * gib),
     false,
     NoReplace::if_none_match,
     {},
     ChecksumHeader::sha256,
     SignedHash::compared,
     Encryption::by_header,
     Addressing::virtual_host,
     {},
     aws_classes},
    // Limits: https://developers.cloudflare.com/r2/platform/limits/ (5 GiB under 5 TiB; a part 5 MiB under 5 GiB).
    // Equal parts: https://developers.cloudflare.com/r2/objects/multipart-objects/#limitations
    // Conditions: https://developers.cloudflare.com/r2/api/s3/conditional-operations/
    // Checksums and encryption: https://developers.cloudflare.com/r2/api/s3/api/; checksums of parts are accepted by
    // now, but trailers and several headers were refused for years.
    // The signed hash: no document says that it is compared.
    {Provider::r2,
     "r2",
     10000,
     5 * mib,
     5 * gib - 5 * mib,
     5 * tib - 5 * gib,
     true,
     NoReplace::if_none_match,
     {},
     ChecksumHeader::none,
     SignedHash::unknown,
     Encryption::always,
     Addressing::path,
     "auto",
     r2_classes},
    // Limits: https://www.alibabacloud.com/help/en/oss/user-guide/limits (48.8 TB; a part 100 KB to 5 GB).
    // If-None-Match is answered with NotImplemented: https://github.com/tobi/walgit/issues/67; instead of it:
    // https://www.alibabacloud.com/help/en/oss/developer-reference/putobject (x-oss-forbid-overwrite).
    // The signed hash: https://www.alibabacloud.com/help/en/oss/support/0002-00000427 asks for that of the body, and
    // says of no comparison.
    // Path style and aws-chunked are refused:
    // https://www.alibabacloud.com/help/en/oss/developer-reference/compatibility-with-amazon-s3
    {Provider::oss,
     "oss",
     10000,
     100 * kib,
     5'000'000'000,
     48'800'000'000'000,
     false,
     NoReplace::forbid_overwrite,
     "x-oss-forbid-overwrite",
     ChecksumHeader::none,
     SignedHash::unknown,
     Encryption::by_header,
     Addressing::virtual_host,
     {},
     oss_classes},
    // Limits: https://www.tencentcloud.com/document/product/436/7750 (1 MB to 5 GB, 10,000 parts), and
    // https://www.tencentcloud.com/document/product/436/14518 (48.82 TB).
    // Overwriting: https://www.tencentcloud.com/document/product/436/7746 (x-cos-forbid-overwrite).
    // The signed hash: no document of the S3 interface says that it is compared.
    // Path style is not for buckets made since 2024: https://www.tencentcloud.com/document/product/436/32537
    {Provider::cos,
     "cos",
     10000,
     mib,
     5'000'000'000,
     48'820'000'000'000,
     false,
     NoReplace::forbid_overwrite,
     "x-cos-forbid-overwrite",
     ChecksumHeader::none,
     SignedHash::unknown,
     Encryption::by_header,
     Addressing::virtual_host,
     {},
     cos_classes},
    // Limits: https://min.io/docs/minio/linux/operations/concepts/thresholds.html; older servers end at 5 TiB.
    // Conditions: https://github.com/minio/minio/pull/19713 (2024).
    // The signed hash: https://github.com/minio/minio/issues/2054 (XAmzContentSHA256Mismatch, since 2016).
    {Provider::minio,
     "minio",
     10000,
     5 * mib,
     5 * gib,
     10000 * (5 * gib),
     false,
     NoReplace::if_none_match,
     {},
     ChecksumHeader::none,
     SignedHash::compared,
     Encryption::by_header,
     Addressing::path,
     "us-east-1",
     minio_classes},
    // The least of what is common: 1,000 parts (OpenStack Swift's max_upload_part_num,
    // https://docs.openstack.org/swift/latest/middleware.html#module-swift.common.middleware.s3api.s3api) of 5 MiB to
    // 5 GiB.
    {Provider::other,
     "other",
     1000,
     5 * mib,
     5 * gib,
     1000 * (5 * gib),
     false,
     NoReplace::none,
     {},
     ChecksumHeader::none,
     SignedHash::unknown,
     Encryption::by_header,
     Addressing::path,
     "us-east-1",
     {}},
}};

}  // namespace

const S3Profile& s3_profile(Provider provider) noexcept {
    return profiles[static_cast<std::size_t>(provider)];
}

const S3Profile* find_s3_profile(std::string_view name) noexcept {
    const auto* const found = std::ranges::find(profiles, name, &S3Profile::name);
    return found == profiles.end() ? nullptr : found;
}

base::Status check_storage_class(const S3Profile& profile, std::string_view storage_class) {
    const auto known = profile.storage_classes;
    if (storage_class.empty() || known.empty() || std::ranges::find(known, storage_class) != known.end()) return {};
    return base::Error(base::ErrorCode::invalid_configuration,
                       fmt::format("provider {} has no storage class \"{}\"", profile.name, storage_class),
                       fmt::format("one of {}", fmt::join(known, ", ")));
}

}  // namespace pgbakd::target
