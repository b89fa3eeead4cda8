#include "http/message.hpp"

#include "support/catch.hpp"

using namespace pgbakd::http;

TEST_CASE("of a URL an error shows the origin only") {
    struct Row {
        std::string_view url;
        std::string_view origin;
    };
    constexpr Row rows[] = {
        {"https://s3.example.com/bucket/key?X-Amz-Signature=1", "https://s3.example.com"},
        {"http://[::1]:9000/x", "http://[::1]:9000"},
        {"https://user:pass@example.com:8443", "https://example.com:8443"},
        {"https://user:p@ss@example.com/", "https://example.com"},
        {"https://example.com?token=1", "https://example.com"},
        {"https://example.com#a/b", "https://example.com"},
        {"https://", "the URL"},
        {"https:///secret", "the URL"},
        {"secret", "the URL"},
        {"", "the URL"},
    };
    for (const auto& row : rows) CHECK(origin_of(row.url) == row.origin);
}

TEST_CASE("the first header of a name is found") {
    const Response response{200, {{"etag", "1"}, {"etag", "2"}}, {}};
    CHECK(response.header("etag") == "1");
    CHECK_FALSE(response.header("ETag"));
}
