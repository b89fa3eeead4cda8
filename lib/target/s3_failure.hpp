// An answer of S3 that is not a success, as the one error type and what to do about it.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "target/s3_answers.hpp"

namespace pgbakd::target {

enum class Remedy {
    none,         // somebody has to do something
    retry,        // the same again, after a pause
    slow_down,    // the same again, after a longer pause and with less at once
    new_session,  // the credentials have ended: once more with fresh ones
    content_md5,  // the same with that header
    redirect,     // the bucket is elsewhere: once more there, as far as redirected() goes along
};

struct FailedCall {
    std::string action;      // "putting a/b into bucket c": what the message begins with
    std::string permission;  // "s3:PutObject": what the hint asks for when that is refused
    int status = 0;          // of HTTP; 200 for an error in the body
    std::optional<S3Error> error;
    std::string bucket_region;  // x-amz-bucket-region
    std::string location;       // Location
    std::string date;           // Date: the server's time
    std::string retry_after;    // Retry-After
    base::Timestamp now{};      // ours, when it was sent
};

struct S3Failure {
    base::Error error;
    Remedy remedy = Remedy::none;
    std::string region;                         // of a redirect; may be empty
    std::string endpoint;                       // of a redirect: a host, or a URL; may be empty
    std::optional<std::chrono::seconds> pause;  // before a retry: what the server asked for
};

// Codes: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html and those of other services that are
// theirs alone; a code that is not known is judged by the status. The error is passing where another try with the same
// configuration may succeed: for retry, slow_down, new_session, and a redirect that is only for a while.
[[nodiscard]] S3Failure s3_failure(const FailedCall& call);

}  // namespace pgbakd::target
