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

TEST_CASE("a redirect is followed to a region, and never to a host of the answer's choice") {
    struct Row {
        std::string endpoint;
        std::string region;
        std::string told_region;
        std::string told_endpoint;
        std::optional<S3Home> expected;
    };
    const S3Home in_ireland{"eu-west-1", "s3.eu-west-1.amazonaws.com"};
    const Row rows[] = {
        {"", "us-east-1", "eu-west-1", "", in_ireland},
        {"", "us-east-1", "eu-west-1", "b.s3-eu-west-1.amazonaws.com", in_ireland},
        {"https://s3.amazonaws.com", "us-east-1", "eu-west-1", "", in_ireland},
        // Right all the time, but the names of a new bucket have not got round.
        {"https://s3.amazonaws.com", "eu-west-1", "", "bkt.s3.eu-west-1.amazonaws.com", in_ireland},
        {"https://s3.amazonaws.com", "us-east-1", "", "https://bkt.s3-eu-west-1.amazonaws.com/a/b?x=1", in_ireland},
        {"https://s3.dualstack.us-east-1.amazonaws.com",
         "us-east-1",
         "eu-west-1",
         "",
         {{"eu-west-1", "s3.dualstack.eu-west-1.amazonaws.com"}}},
        {"https://s3-fips.us-east-1.amazonaws.com",
         "us-east-1",
         "us-west-2",
         "",
         {{"us-west-2", "s3-fips.us-west-2.amazonaws.com"}}},
        {"", "cn-north-1", "cn-northwest-1", "", {{"cn-northwest-1", "s3.cn-northwest-1.amazonaws.com.cn"}}},
        // Elsewhere the region is signed, and all of them are at one endpoint.
        {"https://s3.example.com:9000", "us-east-1", "eu-west-1", "", {{"eu-west-1", "s3.example.com:9000"}}},
        {"https://s3.example.com", "us-east-1", "eu-west-1", "evil.example.net", {{"eu-west-1", "s3.example.com"}}},
        {"https://vpce-1.s3.us-east-1.vpce.amazonaws.com",
         "us-east-1",
         "eu-west-1",
         "",
         {{"eu-west-1", "vpce-1.s3.us-east-1.vpce.amazonaws.com"}}},
        // What leads nowhere else, or anywhere.
        {"", "us-east-1", "us-east-1", "", {}},
        {"", "us-east-1", "", "", {}},
        {"https://s3.example.com", "us-east-1", "", "s3.elsewhere.example.net", {}},
        {"", "us-east-1", "", "http://evil.example.net/.s3.eu-west-1.amazonaws.com", {}},
        {"", "us-east-1", "", "b.s3.eu-west-1.amazonaws.com.evil.example.net", {}},
        {"", "us-east-1", "", "eu-west-1.notamazonaws.com", {}},
        {"", "us-east-1", "", "b.s3.amazonaws.com", {}},
        {"", "us-east-1", "evil.example.net/", "", {}},
        {"", "us-east-1", "eu-west-1\r\nx: y", "", {}},
        {"", "us-east-1", std::string(64, 'a'), "", {}},
        {"", "us-east-1", "cn-north-1", "", {}},
        {"https://s3.amazonaws.com", "us-east-1", "cn-north-1", "", {}},
    };
    for (const auto& row : rows) {
        INFO(row.endpoint << ", " << row.region << ": " << row.told_region << ", " << row.told_endpoint);
        const auto& profile = s3_profile(row.endpoint.empty() ? Provider::aws : Provider::other);
        const auto endpoint = parse_endpoint(profile, row.endpoint, row.region, "bkt", Addressing::path).value();
        CHECK(redirected(endpoint, row.region, row.told_region, row.told_endpoint) == row.expected);
    }
}

TEST_CASE("an endpoint that is none is refused") {
    for (const auto* const text : {"", "s3.example.com", "ftp://s3.example.com", "https://", "https://h/path",
                                   "https://user@h", "https://h?x", "https://h h"})
        CHECK_FALSE(parse_endpoint(s3_profile(Provider::other), text, "r", "bkt", Addressing::path).has_value());
    CHECK_FALSE(parse_endpoint(s3_profile(Provider::aws), "", "", "bkt", Addressing::path).has_value());
    for (const auto* const bucket : {"", "ab", "a/b", "a..b", ".abc", "abc.", "a b c", "abc:d"})
        CHECK_FALSE(parse_endpoint(s3_profile(Provider::other), "http://h", "r", bucket, Addressing::path).has_value());
}
