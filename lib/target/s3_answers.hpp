// What S3's answers say, as values. Documents: https://docs.aws.amazon.com/AmazonS3/latest/API/
// Every function's error is server_error, for a document that is not readable or not the one that was asked for.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace pgbakd::target {

struct ListedObject {
    std::string key;
    std::uint64_t size = 0;
    base::Timestamp modified{};
    std::string etag;  // without quotes
};
struct ObjectsPage {
    std::vector<ListedObject> objects;
    std::vector<std::string> common_prefixes;
    std::string next;  // continuation token; empty: this was the last
};
// ListObjectsV2, with or without encoding-type=url.
[[nodiscard]] base::Result<ObjectsPage> parse_objects(std::string_view xml);

// The upload's id, of CreateMultipartUpload.
[[nodiscard]] base::Result<std::string> parse_upload_started(std::string_view xml);

struct ListedUpload {
    std::string key;
    std::string upload_id;
    base::Timestamp initiated{};
};
struct UploadsPage {
    std::vector<ListedUpload> uploads;
    std::string next_key;  // key-marker and upload-id-marker; both empty: this was the last
    std::string next_upload_id;
};
[[nodiscard]] base::Result<UploadsPage> parse_uploads(std::string_view xml);

struct ListedPart {
    std::uint64_t number = 0;
    std::uint64_t size = 0;
    std::string etag;             // without quotes
    std::string checksum_sha256;  // Base64; empty where none was sent
    base::Timestamp modified{};
};
struct PartsPage {
    std::vector<ListedPart> parts;
    std::uint64_t next = 0;  // part-number-marker; 0: this was the last
};
[[nodiscard]] base::Result<PartsPage> parse_parts(std::string_view xml);

// An <Error> document. Fields that are absent are empty.
struct S3Error {
    std::string code;
    std::string message;
    std::string region;                           // where the bucket is, of a redirect
    std::string endpoint;                         // likewise
    std::optional<base::Timestamp> request_time;  // of RequestTimeTooSkewed
    std::optional<base::Timestamp> server_time;
};
// Nothing if it is not one: the answers of proxies are pages, those to HEAD are empty.
[[nodiscard]] std::optional<S3Error> parse_error(std::string_view xml);

// CompleteMultipartUpload is answered with 200 before the work is done, and says in the body how that ended.
struct Completed {
    std::string etag;              // without quotes; empty from some servers
    std::optional<S3Error> error;  // it failed after all
};
[[nodiscard]] base::Result<Completed> parse_completed(std::string_view xml);

struct NotDeleted {
    std::string key;
    S3Error error;
};
// Those that DeleteObjects left.
[[nodiscard]] base::Result<std::vector<NotDeleted>> parse_deleted(std::string_view xml);

// "Wed, 21 Oct 2015 07:28:00 GMT" (RFC 9110, 5.6.7: the form that is sent today), as in Date and Last-Modified.
[[nodiscard]] std::optional<base::Timestamp> parse_http_date(std::string_view text);

}  // namespace pgbakd::target
