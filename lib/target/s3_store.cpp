#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "target/listing.hpp"
#include "target/s3_upload.hpp"

namespace pgbakd::target {
namespace {

constexpr std::uint64_t most_parts = 100'000;

// An ETag is the object's MD5 only where it was put whole and not encrypted with a key of KMS.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html
std::vector<Checksum> checksums_of(const http::Response& response) {
    std::string etag(response.header("etag").value_or(""));
    std::erase(etag, '"');
    const bool is_md5 = etag.size() == 32 && etag.find_first_not_of("0123456789abcdef") == std::string::npos;
    if (!is_md5 || response.header("x-amz-server-side-encryption").value_or("").starts_with("aws:kms")) return {};
    return {{"md5", etag}};
}

}  // namespace

std::string S3Store::full_key(const std::string& key) const {
    return options.prefix.empty() ? key : options.prefix + "/" + key;
}

S3Call S3Store::call(std::string method, const std::string& key, std::string verb, std::string permission) const {
    S3Call call;
    call.method = std::move(method);
    call.key = full_key(key);
    call.action = fmt::format("{} {} in bucket {}", verb, call.key, options.endpoint.bucket);
    call.permission = std::move(permission);
    return call;
}

// An answer to HEAD does not tell a missing object from a missing bucket, where nothing may be taken to be missing.
asio::awaitable<void> S3Store::see_bucket(std::string key, async::StopToken stop) {
    if (bucket_seen) co_return;
    auto request = call("GET", key, "looking at", "s3:ListBucket");
    request.key.clear();
    request.query = {{"list-type", "2"}, {"prefix", full_key(key)}, {"max-keys", "1"}};
    try {
        co_await client.call(request, stop);
    } catch (const base::Error& error) {
        // Who may not list may still put: no answer either way.
        if (error.code() != base::ErrorCode::permission_denied) throw;
    }
    bucket_seen = true;
}

asio::awaitable<std::optional<Entry>> S3Store::head(std::string key, Detail detail, async::StopToken stop) {
    const auto request = call("HEAD", key, "looking at", "s3:GetObject and s3:ListBucket");
    http::Response response;
    std::exception_ptr failure;
    try {
        response = co_await client.call(request, stop);
    } catch (const base::Error& error) {
        failure = std::current_exception();
        if (error.code() != base::ErrorCode::not_found) throw;
    }
    if (failure) {
        co_await see_bucket(key, stop);
        co_return std::nullopt;
    }
    Entry entry{std::move(key), 0, {}, {}};
    const auto length = response.header("content-length").value_or("");
    const auto [end, wrong] = std::from_chars(length.data(), length.data() + length.size(), entry.size);
    if (wrong != std::errc() || end != length.data() + length.size())
        throw base::Error(base::ErrorCode::server_error, request.action + ": the answer does not tell its size");
    entry.modified = parse_http_date(response.header("last-modified").value_or("")).value_or(base::Timestamp());
    if (detail == Detail::checksums) entry.checksums = checksums_of(response);
    co_return entry;
}

asio::awaitable<std::vector<ListedPart>> S3Store::parts(std::string key, std::string upload_id, async::StopToken stop) {
    std::vector<ListedPart> all;
    ListingGuard guard("the parts of " + full_key(key), most_parts);
    for (std::uint64_t marker = 0;;) {
        auto request = call("GET", key, "listing the parts of", "s3:ListMultipartUploadParts");
        request.query = {{"uploadId", upload_id}};
        if (marker != 0) request.query.emplace_back("part-number-marker", std::to_string(marker));
        const auto response = co_await client.call(request, stop);
        const auto page = parse_parts(response.body).value();
        all.insert(all.end(), page.parts.begin(), page.parts.end());
        // As text of one length, which ascends as the numbers do.
        for (const auto& part : page.parts) guard.see(fmt::format("{:020}", part.number));
        guard.turn(page.parts.size(), page.next == 0 ? std::string() : std::to_string(page.next));
        if (page.next == 0) break;
        marker = page.next;
    }
    co_return all;
}

asio::awaitable<void> S3Store::abort(std::string key, std::string upload_id, async::StopToken stop) {
    auto request = call("DELETE", key, "aborting the upload of", "s3:AbortMultipartUpload");
    request.query = {{"uploadId", upload_id}};
    std::exception_ptr failure;
    try {
        co_await client.call(request, stop);
    } catch (const base::Error& error) {
        failure = std::current_exception();
        if (error.code() != base::ErrorCode::not_found) throw;
    }
    // Not found: it is gone already.
}

}  // namespace pgbakd::target
