#include "service/http_message.hpp"

#include "support/catch.hpp"

using namespace pgbakd;

TEST_CASE("a request's target becomes a path and parameters") {
    struct Row {
        std::string_view target, path;
        service::Query query;
    };
    for (const auto& row :
         {Row{"/v1/status", "/v1/status", {}},
          Row{"/v1/backups?page=2&job=a%2Db", "/v1/backups", {{"page", "2"}, {"job", "a-b"}}},
          Row{"/a%20b", "/a b", {}}, Row{"/x?", "/x", {}}, Row{"/x?&&a&b=&=c", "/x", {{"a", ""}, {"b", ""}, {"", "c"}}},
          Row{"/x?a=1&a=2", "/x", {{"a", "1"}, {"a", "2"}}}, Row{"/x?a=b=c", "/x", {{"a", "b=c"}}},
          Row{"http://host:80/v1?x=1", "/v1", {{"x", "1"}}}, Row{"https://host", "/", {}}, Row{"*", "*", {}},
          Row{"", "", {}}}) {
        CAPTURE(row.target);
        service::HttpRequest request;
        REQUIRE(service::read_target(row.target, request));
        CHECK(request.path == row.path);
        CHECK(request.query == row.query);
    }
    for (const auto* wrong : {"/%", "/%4", "/%zz", "/x?a=%", "/x?%f=1"}) {
        CAPTURE(wrong);
        service::HttpRequest request;
        CHECK_FALSE(service::read_target(wrong, request));
    }
}

TEST_CASE("bytes are a request within the limits, or are refused with the status that says why") {
    const auto understood = service::understand(
        "POST /v1/jobs/a/runs?wait=true HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer t\r\nContent-Length: 2\r\n\r\n{}");
    REQUIRE_FALSE(understood.refusal);
    CHECK(understood.request.method == "POST");
    CHECK(understood.request.path == "/v1/jobs/a/runs");
    CHECK(understood.request.body == "{}");
    CHECK(understood.authorization == "Bearer t");
    struct Row {
        std::string text;
        int status;
    };
    for (const auto& row : {Row{"nonsense\r\n\r\n", 400}, Row{std::string("\x16\x03\x01", 3), 400}, Row{"", 400},
                            Row{"GET / HTTP/1.1\r\nX: y", 400}, Row{"GET /%zz HTTP/1.1\r\n\r\n", 400},
                            Row{"GET / HTTP/9.9\r\n\r\n", 400}, Row{"GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n", 400},
                            Row{"GET / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
                            Row{"GET / HTTP/1.1\r\nTransfer-Encoding: identity\r\n\r\n", 400},
                            Row{"GET / HTTP/1.1\r\nTransfer-Encoding: xchunked\r\n\r\n", 400},
                            Row{"GET / HTTP/1.1\r\nTransfer-Encoding: chunked, identity\r\n\r\n", 400},
                            Row{"GET / HTTP/1.1\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n", 431},
                            Row{"GET /" + std::string(20'000, 'x') + " HTTP/1.1\r\n\r\n", 431},
                            Row{"POST / HTTP/1.1\r\nContent-Length: 65537\r\n\r\n", 413},
                            Row{"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n11170\r\n" +
                                    std::string(70'000, 'x') + "\r\n0\r\n\r\n",
                                413}}) {
        CAPTURE(row.text.substr(0, 100));
        const auto refused = service::understand(row.text);
        REQUIRE(refused.refusal);
        CHECK(refused.refusal->status == row.status);
        CHECK(refused.refusal->text().find("\"error\"") != std::string::npos);
    }
    const auto twice =
        service::understand("GET / HTTP/1.1\r\nAuthorization: Bearer t\r\nAuthorization: Bearer u\r\n\r\n");
    CHECK_FALSE(twice.refusal);
    CHECK(twice.authorization.empty());
    const std::string body(65'536, 'x');
    CHECK_FALSE(service::understand("POST / HTTP/1.1\r\nContent-Length: 65536\r\n\r\n" + body).refusal);
}

TEST_CASE("a head tells how the body ends") {
    auto answer = service::text_answer(200, "four");
    using service::Framing;
    CHECK(service::head_text(answer, Framing::length, true) ==
          "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 4\r\nCache-Control: no-store\r\n"
          "X-Content-Type-Options: nosniff\r\nConnection: keep-alive\r\n\r\n");
    CHECK(service::head_text(answer, Framing::chunked, false).find("Transfer-Encoding: chunked\r\n") !=
          std::string::npos);
    CHECK(service::head_text(answer, Framing::until_close, false).find("Length") == std::string::npos);
    answer = {};
    answer.status = 204;
    answer.headers.emplace_back("Allow", "GET");
    const auto head = service::head_text(answer, Framing::length, false);
    CHECK(head.starts_with("HTTP/1.1 204 No Content\r\n"));
    CHECK(head.find("Content-Length") == std::string::npos);
    CHECK(head.find("Allow: GET\r\n") != std::string::npos);
}
