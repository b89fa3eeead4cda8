#include "target/s3_failure.hpp"

#include "support/catch.hpp"

using namespace pgbakd;
using namespace pgbakd::target;
using namespace std::chrono_literals;
using base::ErrorCode;

namespace {

constexpr base::Timestamp now = std::chrono::sys_days(std::chrono::year(2015) / 10 / 21) + 7h + 28min;

FailedCall call(int status, std::string code = {}, std::string message = {}) {
    FailedCall call;
    call.action = "putting a/b";
    call.permission = "s3:PutObject";
    call.status = status;
    if (!code.empty()) call.error = S3Error{std::move(code), std::move(message), {}, {}, {}, {}};
    call.now = now;
    return call;
}

}  // namespace

TEST_CASE("each answer has its kind, its remedy, and a retry where one can help") {
    struct Row {
        int status;
        std::string code;
        ErrorCode kind;
        Remedy remedy;
    };
    const Row rows[] = {
        {403, "AccessDenied", ErrorCode::permission_denied, Remedy::none},
        {403, "InvalidAccessKeyId", ErrorCode::authentication_failed, Remedy::none},
        {403, "SignatureDoesNotMatch", ErrorCode::authentication_failed, Remedy::none},
        {400, "ExpiredToken", ErrorCode::authentication_failed, Remedy::new_session},
        {403, "RequestTimeTooSkewed", ErrorCode::authentication_failed, Remedy::none},
        {403, "InvalidObjectState", ErrorCode::unsupported, Remedy::none},
        {403, "QuotaExceeded", ErrorCode::no_space, Remedy::none},
        {403, "", ErrorCode::permission_denied, Remedy::none},
        {404, "NoSuchKey", ErrorCode::not_found, Remedy::none},
        {404, "NoSuchBucket", ErrorCode::not_found, Remedy::none},
        {404, "NoSuchUpload", ErrorCode::not_found, Remedy::none},
        {404, "", ErrorCode::not_found, Remedy::none},
        {409, "ConditionalRequestConflict", ErrorCode::conflict, Remedy::retry},
        {409, "FileAlreadyExists", ErrorCode::conflict, Remedy::none},
        {412, "PreconditionFailed", ErrorCode::conflict, Remedy::none},
        {412, "", ErrorCode::conflict, Remedy::none},
        {400, "RequestTimeout", ErrorCode::timed_out, Remedy::retry},
        {400, "BadDigest", ErrorCode::corrupt, Remedy::retry},
        {400, "NotImplemented", ErrorCode::unsupported, Remedy::none},
        {501, "NotImplemented", ErrorCode::unsupported, Remedy::none},
        {400, "NeverHeardOf", ErrorCode::server_error, Remedy::none},
        {429, "", ErrorCode::server_error, Remedy::slow_down},
        {500, "InternalError", ErrorCode::server_error, Remedy::retry},
        {200, "InternalError", ErrorCode::server_error, Remedy::retry},
        {502, "", ErrorCode::server_error, Remedy::retry},
        {503, "SlowDown", ErrorCode::server_error, Remedy::slow_down},
        {503, "", ErrorCode::server_error, Remedy::slow_down},
        {504, "NeverHeardOf", ErrorCode::server_error, Remedy::retry},
        {507, "", ErrorCode::no_space, Remedy::none},
    };
    for (const auto& row : rows) {
        INFO(row.status << " " << row.code);
        const auto failure = s3_failure(call(row.status, row.code));
        CHECK(failure.error.code() == row.kind);
        CHECK(failure.remedy == row.remedy);
        CHECK(failure.error.is_passing() == (row.remedy != Remedy::none));
        CHECK(failure.error.message().starts_with("putting a/b: "));
    }
}

TEST_CASE("a message says what happened, in our words and in theirs") {
    const auto denied = s3_failure(call(403, "AccessDenied", "Access Denied\nhere"));
    CHECK(denied.error.message() == "putting a/b: permission denied (AccessDenied: Access Denied?here)");
    CHECK(denied.error.hint() == "allow s3:PutObject to this access key, in its policy and in the bucket's");
    CHECK(s3_failure(call(502)).error.message() == "putting a/b: an error inside the server (HTTP 502)");
}

TEST_CASE("clocks that differ are told with both times, and by how much") {
    auto said = call(403, "RequestTimeTooSkewed");
    said.error->request_time = now;
    said.error->server_time = now + 20min;
    CHECK(s3_failure(said).error.message() ==
          "putting a/b: the clocks differ too much: 20151021T072800Z here, 20151021T074800Z there, 20 min behind");
    // Ceph says only the code; the time stands in the header.
    auto bare = call(403, "RequestTimeTooSkewed");
    bare.date = "Wed, 21 Oct 2015 05:28:00 GMT";
    CHECK(s3_failure(bare).error.message().ends_with("20151021T052800Z there, 2 h ahead"));
    // To HEAD there is no body at all.
    auto silent = call(403);
    silent.date = bare.date;
    CHECK(s3_failure(silent).error.code() == ErrorCode::authentication_failed);
    silent.date = "Wed, 21 Oct 2015 07:20:00 GMT";
    CHECK(s3_failure(silent).error.code() == ErrorCode::permission_denied);
    auto denied = call(403, "AccessDenied");
    denied.date = bare.date;
    CHECK(s3_failure(denied).error.code() == ErrorCode::permission_denied);
}

TEST_CASE("a bucket in another region is told where it is") {
    auto moved = call(301, "PermanentRedirect");
    moved.error->endpoint = "b.s3-eu-west-1.amazonaws.com";
    moved.bucket_region = "eu-west-1";
    auto failure = s3_failure(moved);
    CHECK(failure.remedy == Remedy::redirect);
    CHECK(failure.region == "eu-west-1");
    CHECK(failure.endpoint == "b.s3-eu-west-1.amazonaws.com");
    CHECK(failure.error.hint() == "region: eu-west-1");
    CHECK_FALSE(failure.error.is_passing());

    auto malformed = call(400, "AuthorizationHeaderMalformed");
    malformed.error->region = "eu-central-1";
    CHECK(s3_failure(malformed).region == "eu-central-1");

    auto temporary = call(307);
    temporary.location = "https://b.s3.eu-west-1.amazonaws.com/k";
    CHECK(s3_failure(temporary).remedy == Remedy::redirect);
    CHECK(s3_failure(temporary).endpoint == temporary.location);
    CHECK(s3_failure(temporary).error.hint().find(temporary.location) != std::string::npos);
    CHECK(s3_failure(call(301)).remedy == Remedy::none);
}

TEST_CASE("a redirect for a while is worth another try, and one for good is not") {
    auto said = call(307, "TemporaryRedirect");
    CHECK(s3_failure(said).remedy == Remedy::retry);
    said.error->endpoint = "b.s3.eu-west-1.amazonaws.com";
    CHECK(s3_failure(said).remedy == Remedy::redirect);
    for (const auto& passing : {said, call(307), call(302), call(307, "TemporaryRedirect")})
        CHECK(s3_failure(passing).error.is_passing());
    for (const auto& lasting : {call(301), call(308), call(301, "PermanentRedirect")})
        CHECK_FALSE(s3_failure(lasting).error.is_passing());
}

TEST_CASE(
    "where object lock wants checksums, one is sent, and where that is not enough the profile that sends others is "
    "named") {
    const auto refused = s3_failure(call(400, "InvalidRequest",
                                         "Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object "
                                         "requests with Object Lock parameters"));
    CHECK(refused.error.code() == ErrorCode::invalid_configuration);
    CHECK_FALSE(refused.error.is_passing());
    CHECK(refused.error.hint().starts_with("provider: aws"));
    CHECK(refused.remedy == Remedy::content_md5);
    CHECK(s3_failure(call(400, "InvalidRequest", "no")).error.code() == ErrorCode::server_error);
}

TEST_CASE("what a lock or a rule of the bucket keeps is refused for good") {
    struct Row {
        int status;
        std::string code;
    };
    for (const auto& row : {Row{403, "AccessDenied"}, Row{403, "ObjectLocked"}, Row{403, "ObjectLockedByBucketPolicy"},
                            Row{409, "FileImmutable"}, Row{423, ""}}) {
        INFO(row.code);
        const auto kept = s3_failure(call(row.status, row.code));
        CHECK(kept.error.code() == ErrorCode::permission_denied);
        CHECK_FALSE(kept.error.is_passing());
    }
}

TEST_CASE("a pause that the server asks for is kept, and one that it does not put in figures is a second") {
    struct Row {
        std::string_view retry_after;
        std::chrono::seconds expected;
    };
    auto busy = call(503);
    busy.date = "Wed, 21 Oct 2015 07:28:00 GMT";
    for (const auto& [text, expected] :
         {Row{"7", 7s}, Row{"0", 0s}, Row{"3600", 1h}, Row{"99999999", 24h}, Row{"Wed, 21 Oct 2015 07:28:30 GMT", 30s},
          Row{"Wed, 21 Oct 2015 07:00:00 GMT", 0s}, Row{"", 1s}, Row{"soon", 1s}, Row{"-1", 1s}, Row{"7 ", 1s}}) {
        INFO(text);
        busy.retry_after = text;
        CHECK(s3_failure(busy).pause == expected);
    }
    CHECK(s3_failure(call(503, "SlowDown")).pause == 1s);
    CHECK_FALSE(s3_failure(call(500, "InternalError")).pause);
    // Nothing that is not tried again has one.
    auto refused = call(403, "AccessDenied");
    refused.retry_after = "7";
    CHECK_FALSE(s3_failure(refused).pause);
}
