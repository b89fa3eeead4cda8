// AWS Signature Version 4 in request headers, as pure functions.
// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html; S3's rules: a path is encoded once and
// never normalised.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/secret.hpp"
#include "codec/hmac.hpp"

namespace pgbakd::target {

struct Credentials {
    std::string access_key_id;
    base::Secret secret_access_key;
    base::Secret session_token;  // empty for long-lived keys
};

struct SigningScope {
    std::string region;
    std::string service;  // "s3", "sts"
};

using Fields = std::vector<std::pair<std::string, std::string>>;

// What is signed of a request. Path and query are not encoded; header names in any case, in any order.
struct SigningInput {
    std::string method;
    std::string path;  // begins with "/"
    Fields query;
    Fields headers;  // "host" among them, exactly as it is sent: with the port unless it is the scheme's own
    // 64 hexadecimal digits of the body's SHA-256.
    std::string payload_hash;
};

// SHA-256 of nothing.
inline constexpr std::string_view empty_payload_hash =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

enum class Slash { keep, encode };

// All but A-Z a-z 0-9 - . _ ~ as %XX in upper case, byte by byte.
[[nodiscard]] std::string uri_encode(std::string_view text, Slash slash);
// The query as it is signed and sent: encoded, sorted by name, then value; "name=" for an empty value.
[[nodiscard]] std::string canonical_query(const Fields& query);
// "host;x-amz-date": lower case, sorted.
[[nodiscard]] std::string signed_headers(const Fields& headers);
[[nodiscard]] std::string canonical_request(const SigningInput& input);

// "20130524T000000Z"
[[nodiscard]] std::string signing_time(base::Timestamp now);

[[nodiscard]] std::string string_to_sign(const SigningInput& input, const SigningScope& scope, base::Timestamp now);
[[nodiscard]] codec::Sha256Digest signing_key(const base::Secret& secret_access_key, const SigningScope& scope,
                                              base::Timestamp now);
// The value of the Authorization header. The input's headers must hold everything that is to be signed.
[[nodiscard]] std::string authorization(const SigningInput& input, const Credentials& credentials,
                                        const SigningScope& scope, base::Timestamp now);

// What a signed request has to carry besides its own headers: the date and, for S3, the payload's hash; the session's
// token, if any, and the authorization.
struct Signature {
    Fields headers;
    std::vector<std::pair<std::string, base::Secret>> secret_headers;
};
[[nodiscard]] Signature sign(SigningInput input, const Credentials& credentials, const SigningScope& scope,
                             base::Timestamp now);

}  // namespace pgbakd::target
