// Calls of S3: addressed, signed, sent, and their failures told apart. One bucket, one client.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "http/client.hpp"
#include "target/credentials.hpp"
#include "target/s3_address.hpp"
#include "target/s3_failure.hpp"

namespace pgbakd::target {

struct S3Call {
    std::string method;
    std::string key;  // empty: the bucket itself
    Fields query;
    Fields headers;
    std::shared_ptr<http::BodySource> body;
    // SHA-256 of the body in lower-case hexadecimal, which the service compares with what arrives; empty without a
    // body.
    std::string payload_hash;
    // Content-MD5 of the body, for services that ask for it; may be empty.
    std::function<asio::awaitable<std::string>()> content_md5;
    std::shared_ptr<http::BodySink> sink;
    std::string action;      // of messages: "putting a/b"
    std::string permission;  // "s3:PutObject", for the hint when that is refused
    std::optional<std::chrono::milliseconds> stall_timeout;
};

class S3Client {
  public:
    S3Client(const asio::any_io_executor& executor, S3Endpoint endpoint, std::string region,
             std::shared_ptr<CredentialSource> credentials, const base::Clock& clock, http::Options options);

    // An answer of 200 to 299. Follows a bucket to its region once, fetches fresh credentials once, and adds
    // Content-MD5 once it was asked for, where nothing of a body was lost by that. Throws base::Error as s3_failure()
    // and http::Client::perform() have it, with the action in front.
    asio::awaitable<http::Response> call(S3Call call, async::StopToken stop);

    // A failure that stood in the body of an answer of 200.
    [[nodiscard]] base::Error failure(const S3Call& call, const S3Error& error) const;

    [[nodiscard]] const S3Endpoint& endpoint() const noexcept { return endpoint_; }
    [[nodiscard]] const std::string& region() const noexcept { return region_; }

  private:
    http::Request signed_request(const S3Call& call, const Credentials& credentials) const;
    asio::awaitable<http::Response> send(const S3Call& call, async::StopToken stop);
    // The same, asked in a way that is answered with the reason; or `response` itself.
    asio::awaitable<http::Response> ask_why(S3Call call, http::Response response, async::StopToken stop);
    [[nodiscard]] FailedCall describe(const S3Call& call, const http::Response& response) const;
    // Whether the same call, sent once more, goes elsewhere than to `before`.
    [[nodiscard]] bool follow(const S3Failure& failure, const S3Home& before);

    S3Endpoint endpoint_;
    std::string region_;
    std::shared_ptr<CredentialSource> credentials_;
    const base::Clock& clock_;
    http::Client http_;
    // The bucket takes no content without it. Else it is left out: it costs as much as the SHA-256 that is sent anyway.
    bool wants_md5_ = false;
};

}  // namespace pgbakd::target
