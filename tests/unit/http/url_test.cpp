#include "http/url.hpp"

#include "support/catch.hpp"

using namespace pgbakd::http;

TEST_CASE("where a URL leads is what libcurl makes of it, and nobody who passes for its host") {
    struct Row {
        std::string url;
        std::string leads_to;
    };
    const Row rows[] = {
        {"https://example.com/x", "https example.com"},
        {"HTTPS://Example.COM:8443?x=@y", "https example.com"},
        {"http://127.0.0.1:80/x", "http 127.0.0.1"},
        {"http://[::1]:9/x", "http [::1]"},
        {"http://localhost/@127.0.0.5/x", "http localhost"},
        {"http://127.0.0.1:80@127.0.0.5:9/x", ""},
        {"http://127.0.0.1:@127.0.0.5:9/x", ""},
        {"http://@127.0.0.1/", ""},
        {"http://user:pass@example.com/", ""},
        {"http://127.0.0.1:port/", ""},
        {"example.com/x", ""},
        {"https://", ""},
        {"", ""},
    };
    for (const auto& row : rows) {
        INFO(row.url);
        const auto found = destination_of(row.url);
        CHECK((found ? found->scheme + " " + found->host : std::string()) == row.leads_to);
    }
}
