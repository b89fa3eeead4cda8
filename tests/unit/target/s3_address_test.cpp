#include "target/s3_address.hpp"

#include "support/catch.hpp"

using namespace pgbakd;
using namespace pgbakd::target;

TEST_CASE("a key is addressed by path or by the bucket's host") {
    struct Row {
        std::string provider;
        std::string endpoint;
        std::string region;
        std::string bucket;
        Addressing addressing;
        std::string host;
        std::string url;
    };
    using enum Addressing;
    const Row rows[] = {
        {"aws", "", "eu-central-1", "bkt", virtual_host, "bkt.s3.eu-central-1.amazonaws.com",
         "https://bkt.s3.eu-central-1.amazonaws.com/a/b%20c?uploads="},
        {"aws", "", "cn-north-1", "bkt", path, "s3.cn-north-1.amazonaws.com.cn",
         "https://s3.cn-north-1.amazonaws.com.cn/bkt/a/b%20c?uploads="},
        // A certificate for *.s3.eu-central-1.amazonaws.com does not cover it.
        {"aws", "", "eu-central-1", "my.bkt", virtual_host, "s3.eu-central-1.amazonaws.com",
         "https://s3.eu-central-1.amazonaws.com/my.bkt/a/b%20c?uploads="},
        {"other", "http://S3.example.com:8080/", "x", "my.bkt", virtual_host, "my.bkt.s3.example.com:8080",
         "http://my.bkt.s3.example.com:8080/a/b%20c?uploads="},
        {"r2", "https://acct.r2.cloudflarestorage.com:443", "auto", "bkt", path, "acct.r2.cloudflarestorage.com",
         "https://acct.r2.cloudflarestorage.com/bkt/a/b%20c?uploads="},
        {"minio", "http://127.0.0.1:9000", "us-east-1", "bkt", virtual_host, "127.0.0.1:9000",
         "http://127.0.0.1:9000/bkt/a/b%20c?uploads="},
        {"minio", "http://[::1]:9000", "us-east-1", "bkt", virtual_host, "[::1]:9000",
         "http://[::1]:9000/bkt/a/b%20c?uploads="},
    };
    for (const auto& row : rows) {
        INFO(row.url);
        const auto endpoint =
            parse_endpoint(*find_s3_profile(row.provider), row.endpoint, row.region, row.bucket, row.addressing);
        REQUIRE(endpoint.has_value());
        const auto address = s3_address(*endpoint, "a/b c", {{"uploads", ""}});
        CHECK(address.host == row.host);
        CHECK(address.url == row.url);
    }
    const auto endpoint = parse_endpoint(s3_profile(Provider::other), "http://h", "", "bkt", path).value();
    CHECK(s3_address(endpoint, "", {}).url == "http://h/bkt");
    CHECK(s3_address(endpoint, "", {}).path == "/bkt");
}

TEST_CASE("an endpoint that is none is refused") {
    for (const auto* const text : {"", "s3.example.com", "ftp://s3.example.com", "https://", "https://h/path",
                                   "https://user@h", "https://h?x", "https://h h"})
        CHECK_FALSE(parse_endpoint(s3_profile(Provider::other), text, "r", "bkt", Addressing::path).has_value());
    CHECK_FALSE(parse_endpoint(s3_profile(Provider::aws), "", "", "bkt", Addressing::path).has_value());
    for (const auto* const bucket : {"", "ab", "a/b", "a..b", ".abc", "abc.", "a b c", "abc:d"})
        CHECK_FALSE(parse_endpoint(s3_profile(Provider::other), "http://h", "r", bucket, Addressing::path).has_value());
}
