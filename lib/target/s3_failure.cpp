#include "target/s3_failure.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/text.hpp"
#include "base/units.hpp"
#include "target/sigv4.hpp"

namespace pgbakd::target {
namespace {

using base::ErrorCode;

struct Fact {
    std::string_view code;  // of S3
    ErrorCode kind;
    Remedy remedy;
    std::string_view message;
    std::string_view hint;  // {permission} is filled in
};

constexpr std::string_view allow = "allow {permission} to this access key, in its policy and in the bucket's";
constexpr std::string_view check_key =
    "check access_key_id and secret_access_key, and that endpoint is their service's";
constexpr std::string_view check_profile = "choose the provider that the service is, or take out what it does not know";

constexpr std::array facts{
    // Who asks, and what they may.
    Fact{"AccessDenied", ErrorCode::permission_denied, Remedy::none, "permission denied", allow},
    Fact{"AllAccessDisabled", ErrorCode::permission_denied, Remedy::none, "all access to it is disabled", {}},
    Fact{"AccountProblem", ErrorCode::permission_denied, Remedy::none, "the account is blocked",
         "look into the account at the provider"},
    Fact{"UserDisable", ErrorCode::permission_denied, Remedy::none, "the account is blocked",
         "look into the account at the provider"},
    Fact{"ObjectLocked", ErrorCode::permission_denied, Remedy::none, "it is locked and retained", {}},
    Fact{"ObjectLockedByBucketPolicy", ErrorCode::permission_denied, Remedy::none, "it is locked and retained", {}},
    Fact{"FileImmutable", ErrorCode::permission_denied, Remedy::none, "it is locked and retained", {}},
    Fact{"InvalidAccessKeyId", ErrorCode::authentication_failed, Remedy::none, "the access key is unknown", check_key},
    Fact{"SignatureDoesNotMatch", ErrorCode::authentication_failed, Remedy::none, "the signature is wrong",
         "check access_key_id, secret_access_key and region"},
    Fact{"ExpiredToken", ErrorCode::authentication_failed, Remedy::new_session, "the session has ended", {}},
    Fact{"TokenRefreshRequired", ErrorCode::authentication_failed, Remedy::new_session, "the session has ended", {}},
    Fact{"InvalidToken", ErrorCode::authentication_failed, Remedy::new_session, "the session's token is not valid", {}},
    Fact{"InvalidSecurity", ErrorCode::authentication_failed, Remedy::none, "the credentials are not valid", check_key},
    Fact{"NotSignedUp", ErrorCode::authentication_failed, Remedy::none, "the account is not signed up for S3", {}},
    // Where it is.
    Fact{"NoSuchKey", ErrorCode::not_found, Remedy::none, "there is no such object", {}},
    Fact{"NoSuchVersion", ErrorCode::not_found, Remedy::none, "there is no such version", {}},
    Fact{"NoSuchUpload", ErrorCode::not_found, Remedy::none, "the multipart upload does not exist any more", {}},
    Fact{"NoSuchBucket", ErrorCode::not_found, Remedy::none, "there is no such bucket",
         "create it, or correct bucket, region and endpoint"},
    Fact{"InvalidBucketName", ErrorCode::invalid_configuration, Remedy::none, "that is no name of a bucket", {}},
    Fact{"SecondLevelDomainForbidden", ErrorCode::invalid_configuration, Remedy::none,
         "the service wants the bucket in the host's name", "addressing: virtual"},
    Fact{"PermanentRedirect", ErrorCode::invalid_configuration, Remedy::redirect, "the bucket is elsewhere", {}},
    Fact{"TemporaryRedirect", ErrorCode::server_error, Remedy::redirect, "the bucket is elsewhere for a while", {}},
    Fact{"Redirect", ErrorCode::server_error, Remedy::redirect, "the bucket is elsewhere for a while", {}},
    Fact{"AuthorizationHeaderMalformed", ErrorCode::invalid_configuration, Remedy::redirect, "the region is wrong", {}},
    Fact{"IncorrectEndpoint", ErrorCode::invalid_configuration, Remedy::redirect, "the bucket is elsewhere", {}},
    // What is there already.
    Fact{"PreconditionFailed", ErrorCode::conflict, Remedy::none, "it exists already", {}},
    Fact{"FileAlreadyExists", ErrorCode::conflict, Remedy::none, "it exists already", {}},
    Fact{"ObjectAlreadyExists", ErrorCode::conflict, Remedy::none, "it exists already", {}},
    Fact{"ConditionalRequestConflict", ErrorCode::conflict, Remedy::retry, "another request is changing it", {}},
    Fact{"OperationAborted", ErrorCode::conflict, Remedy::retry, "another request is changing it", {}},
    Fact{"InvalidObjectState", ErrorCode::unsupported, Remedy::none, "the object is archived",
         "restore it at the provider first"},
    // What arrived.
    Fact{"BadDigest", ErrorCode::corrupt, Remedy::retry, "what arrived is not what was sent", {}},
    Fact{"InvalidDigest", ErrorCode::corrupt, Remedy::retry, "what arrived is not what was sent", {}},
    Fact{"XAmzContentSHA256Mismatch", ErrorCode::corrupt, Remedy::retry, "what arrived is not what was sent", {}},
    Fact{"XAmzContentChecksumMismatch", ErrorCode::corrupt, Remedy::retry, "what arrived is not what was sent", {}},
    Fact{"IncompleteBody", ErrorCode::unreachable, Remedy::retry, "not all of it arrived", {}},
    Fact{"RequestTimeout", ErrorCode::timed_out, Remedy::retry, "the server waited too long for the data", {}},
    Fact{"EntityTooLarge", ErrorCode::server_error, Remedy::none, "it is too large", "choose a smaller part_size"},
    Fact{"EntityTooSmall", ErrorCode::server_error, Remedy::none, "a part is too small", "choose a larger part_size"},
    Fact{"InvalidPart", ErrorCode::server_error, Remedy::none, "a part is missing, or not of the size it should have",
         "if the service wants equal parts, set provider: r2"},
    Fact{"InvalidPartOrder", ErrorCode::server_error, Remedy::none, "the parts are not in order", {}},
    // What it does not know.
    Fact{"NotImplemented", ErrorCode::unsupported, Remedy::none, "the service does not know that", check_profile},
    Fact{"MethodNotAllowed", ErrorCode::unsupported, Remedy::none, "the service does not allow that", check_profile},
    Fact{"InvalidStorageClass", ErrorCode::invalid_configuration, Remedy::none, "the storage class is unknown",
         "correct storage_class, or take it out"},
    Fact{"InvalidEncryptionAlgorithmError", ErrorCode::invalid_configuration, Remedy::none, "the encryption is unknown",
         "correct server_side_encryption, or take it out"},
    // How the server is.
    Fact{"QuotaExceeded", ErrorCode::no_space, Remedy::none, "the quota is used up",
         "free space there, raise the quota, or shorten the retention"},
    Fact{"XMinioAdminBucketQuotaExceeded", ErrorCode::no_space, Remedy::none, "the quota is used up",
         "free space there, raise the quota, or shorten the retention"},
    Fact{"XMinioStorageFull", ErrorCode::no_space, Remedy::none, "the server's disks are full", "free space there"},
    Fact{"SlowDown", ErrorCode::server_error, Remedy::slow_down, "the server asks to slow down", {}},
    Fact{"SlowDownRead", ErrorCode::server_error, Remedy::slow_down, "the server asks to slow down", {}},
    Fact{"SlowDownWrite", ErrorCode::server_error, Remedy::slow_down, "the server asks to slow down", {}},
    Fact{"ServiceUnavailable", ErrorCode::server_error, Remedy::slow_down, "the server is overloaded", {}},
    Fact{"Throttling", ErrorCode::server_error, Remedy::slow_down, "the server asks to slow down", {}},
    Fact{"TooManyRequests", ErrorCode::server_error, Remedy::slow_down, "the server asks to slow down", {}},
    Fact{"RequestLimitExceeded", ErrorCode::server_error, Remedy::slow_down, "the server asks to slow down", {}},
    Fact{"InternalError", ErrorCode::server_error, Remedy::retry, "an error inside the server", {}},
};

Fact fact_of_status(int status) {
    switch (status) {
        case 301:
        case 308: return {{}, ErrorCode::invalid_configuration, Remedy::redirect, "the bucket is elsewhere", {}};
        case 302:
        case 307: return {{}, ErrorCode::server_error, Remedy::redirect, "the bucket is elsewhere for a while", {}};
        case 401: return {{}, ErrorCode::authentication_failed, Remedy::none, "the credentials are refused", check_key};
        case 403: return {{}, ErrorCode::permission_denied, Remedy::none, "permission denied", allow};
        case 404: return {{}, ErrorCode::not_found, Remedy::none, "not found", {}};
        case 405:
        case 501: return {{}, ErrorCode::unsupported, Remedy::none, "the service does not know that", check_profile};
        case 408: return {{}, ErrorCode::timed_out, Remedy::retry, "the server waited too long for the data", {}};
        case 409: return {{}, ErrorCode::conflict, Remedy::retry, "another request is changing it", {}};
        case 412: return {{}, ErrorCode::conflict, Remedy::none, "it exists already", {}};
        case 413: return {{}, ErrorCode::server_error, Remedy::none, "it is too large", "choose a smaller part_size"};
        case 416: return {{}, ErrorCode::invalid_argument, Remedy::none, "the object does not reach so far", {}};
        case 423: return {{}, ErrorCode::permission_denied, Remedy::none, "it is locked and retained", {}};
        case 429:
        case 503: return {{}, ErrorCode::server_error, Remedy::slow_down, "the server asks to slow down", {}};
        case 507: return {{}, ErrorCode::no_space, Remedy::none, "the server's disks are full", "free space there"};
        default: break;
    }
    if (status >= 500) return {{}, ErrorCode::server_error, Remedy::retry, "an error inside the server", {}};
    return {{}, ErrorCode::server_error, Remedy::none, "the server refused it", {}};
}

// "Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object Lock parameters"
bool wants_checksum(const S3Error& error) {
    return error.code == "InvalidRequest" && error.message.find("Content-MD5") != std::string::npos;
}

Fact fact_of(const FailedCall& call) {
    if (call.error && wants_checksum(*call.error))
        return {{},
                ErrorCode::invalid_configuration,
                Remedy::content_md5,
                "the bucket's object lock wants checksums",
                "provider: aws, with the endpoint and the region that there are, sends them"};
    if (call.error) {
        const auto* const found = std::ranges::find(facts, call.error->code, &Fact::code);
        if (found != facts.end()) return *found;
    }
    return fact_of_status(call.status);
}

// One that ends by itself, as when the names of a new bucket have not got round yet.
bool is_for_a_while(const Fact& fact) {
    return fact.remedy == Remedy::redirect && fact.kind == ErrorCode::server_error;
}

std::string filled(std::string_view hint, const FailedCall& call) {
    constexpr std::string_view mark = "{permission}";
    std::string text(hint);
    if (const auto at = text.find(mark); at != std::string::npos)
        text.replace(at, mark.size(), call.permission.empty() ? "the request" : call.permission);
    return text;
}

// What the server itself called it: in brackets, for whoever asks the provider.
std::string in_their_words(const FailedCall& call) {
    if (!call.error || call.error->code.empty()) return fmt::format(" (HTTP {})", call.status);
    auto text = " (" + base::printable(base::clamp_utf8(call.error->code, 60));
    if (!call.error->message.empty()) text += ": " + base::printable(base::clamp_utf8(call.error->message, 200));
    return text + ")";
}

// The limit of AWS, and of those who follow it.
constexpr auto most_skew = std::chrono::minutes(15);

// A refusal for the clocks' sake, also where the answer has no body (to HEAD) or says only that.
std::optional<base::Error> skewed(const FailedCall& call) {
    const bool is_said =
        call.error && (call.error->code == "RequestTimeTooSkewed" || call.error->code == "RequestExpired");
    auto theirs = call.error ? call.error->server_time : std::nullopt;
    if (!theirs) theirs = parse_http_date(call.date);
    const auto ours = call.error && call.error->request_time ? *call.error->request_time : call.now;
    const bool is_seen = call.status == 403 && (!call.error || call.error->code.empty()) && theirs &&
                         std::chrono::abs(*theirs - ours) > most_skew;
    if (!is_said && !is_seen) return std::nullopt;
    auto message = call.action + ": the clocks differ too much";
    if (theirs)
        message +=
            fmt::format(": {} here, {} there, {} {}", signing_time(ours), signing_time(*theirs),
                        base::format_duration(std::chrono::abs(*theirs - ours)), *theirs > ours ? "behind" : "ahead");
    return base::Error(ErrorCode::authentication_failed, message,
                       "set this host's clock: chronyc tracking, timedatectl");
}

// Where the service only says that it is too much: longer than the pause before a first retry.
constexpr auto usual_pause = std::chrono::seconds(1);

// Retry-After: seconds, or a date (RFC 9110, 10.2.3).
std::optional<std::chrono::seconds> pause_of(const FailedCall& call, Remedy remedy) {
    std::int64_t seconds = 0;
    const auto* const end = call.retry_after.data() + call.retry_after.size();
    const auto [stopped, failure] = std::from_chars(call.retry_after.data(), end, seconds);
    if (failure == std::errc() && stopped == end && seconds >= 0)
        return std::chrono::seconds(std::min<std::int64_t>(seconds, 86'400));
    if (const auto date = parse_http_date(call.retry_after)) {
        // Theirs and ours need not be the same.
        const auto pause = *date - parse_http_date(call.date).value_or(call.now);
        return std::max(std::chrono::ceil<std::chrono::seconds>(pause), std::chrono::seconds(0));
    }
    if (remedy == Remedy::slow_down) return usual_pause;
    return std::nullopt;
}

}  // namespace

S3Failure s3_failure(const FailedCall& call) {
    if (auto skew = skewed(call)) return {std::move(*skew), Remedy::none, {}, {}, {}};
    const auto fact = fact_of(call);
    auto remedy = fact.remedy;
    auto hint = filled(fact.hint, call);
    std::string region, endpoint;
    if (remedy == Remedy::redirect) {
        region = call.error && !call.error->region.empty() ? call.error->region : call.bucket_region;
        endpoint = call.error && !call.error->endpoint.empty() ? call.error->endpoint : call.location;
        if (!region.empty())
            hint = fmt::format("region: {}", base::printable(base::clamp_utf8(region, 60)));
        else if (!endpoint.empty())
            hint = fmt::format("correct region and endpoint: the service names {}, which is not followed unasked",
                               base::printable(base::clamp_utf8(endpoint, 120)));
        else
            hint = "correct region and endpoint";
        // Nothing to go by.
        if (region.empty() && endpoint.empty()) remedy = is_for_a_while(fact) ? Remedy::retry : Remedy::none;
    }
    const bool passes =
        is_for_a_while(fact) || remedy == Remedy::retry || remedy == Remedy::slow_down || remedy == Remedy::new_session;
    const auto persistence = passes ? base::Persistence::passing : base::Persistence::lasting;
    return {base::Error(fact.kind, fmt::format("{}: {}{}", call.action, fact.message, in_their_words(call)),
                        std::move(hint), persistence),
            remedy, std::move(region), std::move(endpoint), passes ? pause_of(call, remedy) : std::nullopt};
}

}  // namespace pgbakd::target
