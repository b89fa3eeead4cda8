#include "target/sigv4.hpp"

#include "codec/sha256.hpp"
#include "support/catch.hpp"

using namespace pgbakd;
using namespace pgbakd::target;
using namespace std::chrono_literals;

namespace {

codec::Bytes bytes_of(std::string_view text) {
    return std::as_bytes(std::span(text));
}

constexpr base::Timestamp at(int year, unsigned month, unsigned day, std::chrono::seconds time = 0s) {
    using namespace std::chrono;
    return sys_days(std::chrono::year(year) / static_cast<int>(month) / static_cast<int>(day)) + time;
}

std::string signature_of(const std::string& authorization) {
    return authorization.substr(authorization.find("Signature=") + 10);
}

}  // namespace

// The AWS Signature Version 4 test suite (aws-sig-v4-test-suite, of the AWS General Reference), as far as S3's rules
// are its own: its groups normalize-path and get-slash are for services that normalise a path.
TEST_CASE("the cases of the AWS test suite for Signature Version 4 give its signatures") {
    const Credentials credentials{"AKIDEXAMPLE", base::Secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"), {}};
    const SigningScope scope{"us-east-1", "service"};
    const auto now = at(2015, 8, 30, 12h + 36min);
    const std::string unreserved = "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    const std::string token =
        "AQoDYXdzEPT//////////"
        "wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwt"
        "hAx7mSEI/qkPpKPi/"
        "kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXA"
        "kiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/"
        "oLxBA==";
    struct Row {
        std::string name;
        std::string method;
        std::string path;
        Fields query;
        Fields headers;
        std::string body;
        std::string signature;
    };
    const Row rows[] = {
        {"get-vanilla", "GET", "/", {}, {}, "", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
        {"get-header-key-duplicate",
         "GET",
         "/",
         {},
         {{"My-Header1", "value2"}, {"My-Header1", "value2"}, {"My-Header1", "value1"}},
         "",
         "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea"},
        {"get-header-value-multiline",
         "GET",
         "/",
         {},
         {{"My-Header1", "value1,value2,value3"}},
         "",
         "ba17b383a53190154eb5fa66a1b836cc297cc0a3d70a5d00705980573d8ff790"},
        {"get-header-value-order",
         "GET",
         "/",
         {},
         {{"My-Header1", "value4"}, {"My-Header1", "value1"}, {"My-Header1", "value3"}, {"My-Header1", "value2"}},
         "",
         "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01"},
        {"get-header-value-trim",
         "GET",
         "/",
         {},
         {{"My-Header1", " value1"}, {"My-Header2", " \"a   b   c\""}},
         "",
         "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"},
        {"get-unreserved",
         "GET",
         "/" + unreserved,
         {},
         {},
         "",
         "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f"},
        {"get-utf8", "GET", "/\u1234", {}, {}, "", "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"},
        {"get-space",
         "GET",
         "/example space/",
         {},
         {},
         "",
         "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741"},
        {"get-vanilla-empty-query-key",
         "GET",
         "/",
         {{"Param1", "value1"}},
         {},
         "",
         "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb"},
        {"get-vanilla-query-order-key-case",
         "GET",
         "/",
         {{"Param2", "value2"}, {"Param1", "value1"}},
         {},
         "",
         "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
        {"get-vanilla-query-unreserved",
         "GET",
         "/",
         {{unreserved, unreserved}},
         {},
         "",
         "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197"},
        {"get-vanilla-utf8-query",
         "GET",
         "/",
         {{"\u1234", "bar"}},
         {},
         "",
         "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04"},
        {"post-vanilla", "POST", "/", {}, {}, "", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
        {"post-header-key-sort",
         "POST",
         "/",
         {},
         {{"My-Header1", "value1"}},
         "",
         "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c"},
        {"post-header-value-case",
         "POST",
         "/",
         {},
         {{"My-Header1", "VALUE1"}},
         "",
         "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d"},
        {"post-sts-header-before",
         "POST",
         "/",
         {},
         {{"X-Amz-Security-Token", token}},
         "",
         "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead"},
        {"post-vanilla-query",
         "POST",
         "/",
         {{"Param1", "value1"}},
         {},
         "",
         "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11"},
        {"post-vanilla-query-nonunreserved",
         "POST",
         "/",
         {{"@#$%^", ""}, {"+", "/,?><`\";:\\|][{}"}},
         {},
         "",
         "66c82657c86e26fb25238d0e69f011edc4c6df5ae71119d7cb98ed9b87393c1e"},
        {"post-x-www-form-urlencoded",
         "POST",
         "/",
         {},
         {{"Content-Type", "application/x-www-form-urlencoded"}},
         "Param1=value1",
         "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"},
        {"post-x-www-form-urlencoded-parameters",
         "POST",
         "/",
         {},
         {{"Content-Type", "application/x-www-form-urlencoded; charset=utf8"}},
         "Param1=value1",
         "1a72ec8f64bd914b0e42e42607c7fbce7fb2c7465f63e3092b3b0d39fa77a6fe"},
    };
    for (const auto& row : rows) {
        INFO(row.name);
        SigningInput input{row.method, row.path, row.query, row.headers, codec::sha256_hex(bytes_of(row.body))};
        input.headers.emplace_back("Host", "example.amazonaws.com");
        input.headers.emplace_back("X-Amz-Date", "20150830T123600Z");
        CHECK(signature_of(authorization(input, credentials, scope, now)) == row.signature);
    }
}

TEST_CASE("the steps of the suite's get-vanilla are its own") {
    const SigningScope scope{"us-east-1", "service"};
    const auto now = at(2015, 8, 30, 12h + 36min);
    const SigningInput input{"GET",
                             "/",
                             {{"Param2", "value2"}, {"Param1", "value1"}},
                             {{"Host", "example.amazonaws.com"}, {"X-Amz-Date", "20150830T123600Z"}},
                             std::string(empty_payload_hash)};
    CHECK(canonical_request(input) ==
          "GET\n/\nParam1=value1&Param2=value2\nhost:example.amazonaws.com\nx-amz-date:20150830T123600Z\n\n"
          "host;x-amz-date\ne3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    CHECK(string_to_sign(input, scope, now) ==
          "AWS4-HMAC-SHA256\n20150830T123600Z\n20150830/us-east-1/service/aws4_request\n"
          "816cd5b414d056048ba4f7c5386d6e0533120fb1fcfa93762cf0fc39e2cf19e0");
    const Credentials credentials{"AKIDEXAMPLE", base::Secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"), {}};
    CHECK(authorization(input, credentials, scope, now) ==
          "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
          "SignedHeaders=host;x-amz-date, "
          "Signature=b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500");
}

// "Examples: Signature calculations" of
// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
TEST_CASE("the examples of Amazon S3's documentation give its signatures") {
    const Credentials credentials{"AKIAIOSFODNN7EXAMPLE", base::Secret("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"), {}};
    const SigningScope scope{"us-east-1", "s3"};
    const auto now = at(2013, 5, 24);
    struct Row {
        std::string method;
        std::string path;
        Fields query;
        Fields headers;
        std::string body;
        std::string signed_headers;
        std::string signature;
    };
    const Row rows[] = {
        {"GET",
         "/test.txt",
         {},
         {{"Range", "bytes=0-9"}},
         "",
         "host;range;x-amz-content-sha256;x-amz-date",
         "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"},
        {"PUT",
         "/test$file.text",
         {},
         {{"Date", "Fri, 24 May 2013 00:00:00 GMT"}, {"x-amz-storage-class", "REDUCED_REDUNDANCY"}},
         "Welcome to Amazon S3.",
         "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
         "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"},
        {"GET",
         "/",
         {{"lifecycle", ""}},
         {},
         "",
         "host;x-amz-content-sha256;x-amz-date",
         "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"},
        {"GET",
         "/",
         {{"max-keys", "2"}, {"prefix", "J"}},
         {},
         "",
         "host;x-amz-content-sha256;x-amz-date",
         "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"},
    };
    for (const auto& row : rows) {
        INFO(row.method << " " << row.path);
        SigningInput input{row.method, row.path, row.query, row.headers, codec::sha256_hex(bytes_of(row.body))};
        input.headers.emplace_back("Host", "examplebucket.s3.amazonaws.com");
        const auto signature = sign(input, credentials, scope, now);
        CHECK(signature.headers ==
              Fields{{"x-amz-date", "20130524T000000Z"}, {"x-amz-content-sha256", input.payload_hash}});
        REQUIRE(signature.secret_headers.size() == 1);
        CHECK(signature.secret_headers[0].first == "authorization");
        CHECK(signature.secret_headers[0].second.reveal() ==
              "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, SignedHeaders=" +
                  row.signed_headers + ", Signature=" + row.signature);
    }
}

TEST_CASE("a session's token is signed and sent") {
    const Credentials credentials{"A", base::Secret("s"), base::Secret("token")};
    const SigningInput input{"PUT", "/k", {}, {{"host", "h"}}, std::string(empty_payload_hash)};
    const auto signature = sign(input, credentials, {"auto", "s3"}, at(2026, 1, 2));
    REQUIRE(signature.secret_headers.size() == 2);
    CHECK(signature.secret_headers[0].second.reveal() == "token");
    CHECK(signature.secret_headers[1].second.reveal().find("x-amz-date;x-amz-security-token") != std::string::npos);
    // No hash of the payload for a service that has no header for it.
    CHECK(sign(input, credentials, {"auto", "sts"}, at(2026, 1, 2)).headers.size() == 1);
}

TEST_CASE("a path is encoded once, and never normalised") {
    struct Row {
        std::string_view text;
        std::string_view kept;
        std::string_view encoded;
    };
    constexpr Row rows[] = {
        {"", "", ""},
        {"a/b", "a/b", "a%2Fb"},
        {"a b+c", "a%20b%2Bc", "a%20b%2Bc"},
        {"%20", "%2520", "%2520"},
        {"../a//./b", "../a//./b", "..%2Fa%2F%2F.%2Fb"},
        {"\xc3\xa9~", "%C3%A9~", "%C3%A9~"},
        {"!'()*", "%21%27%28%29%2A", "%21%27%28%29%2A"},
    };
    for (const auto& row : rows) {
        CHECK(uri_encode(row.text, Slash::keep) == row.kept);
        CHECK(uri_encode(row.text, Slash::encode) == row.encoded);
    }
    CHECK(canonical_query({{"b", ""}, {"a", "2"}, {"a", "1"}, {"a-b", ""}}) == "a=1&a=2&a-b=&b=");
}
