// What works: methods, headers, bodies of all lengths in both directions, kept connections, TLS.
#include <cstring>

#include "async/timer.hpp"
#include "integration/http/server.hpp"
#include "support/catch.hpp"

using namespace pgbakd;
using namespace pgbakd::http;
using namespace pgbakd::http::testing;
using namespace std::chrono_literals;

namespace {

std::vector<std::byte> pattern(std::size_t length) {
    std::vector<std::byte> bytes(length);
    for (std::size_t i = 0; i < length; ++i) bytes[i] = static_cast<std::byte>(i % 251);
    return bytes;
}

// Gives `length` bytes of the pattern in pieces, with a pause before each.
class SlowSource final : public BodySource {
  public:
    SlowSource(std::uint64_t length, std::size_t piece, std::chrono::milliseconds pause)
        : length_(length), piece_(piece), pause_(pause) {}
    std::uint64_t length() const override { return length_; }
    asio::awaitable<std::span<const std::byte>> next(async::StopToken stop) override {
        if (pause_ > 0ms) co_await async::sleep_for(pause_, stop);
        const auto count = std::min<std::uint64_t>(piece_, length_ - given_);
        buffer_.resize(count);
        for (std::size_t i = 0; i < count; ++i) buffer_[i] = static_cast<std::byte>((given_ + i) % 251);
        given_ += count;
        co_return std::span<const std::byte>(buffer_);
    }
    bool rewind() override {
        given_ = 0;
        return true;
    }

  private:
    std::uint64_t length_;
    std::uint64_t given_ = 0;
    std::size_t piece_;
    std::chrono::milliseconds pause_;
    std::vector<std::byte> buffer_;
};

// Checks the pattern; slow for the first `slow` pieces; notes the largest piece.
class CheckingSink final : public BodySink {
  public:
    void begin(const Response& head) override { status = head.status; }
    asio::awaitable<void> write(std::span<const std::byte> bytes, async::StopToken stop) override {
        if (slow > 0) {
            --slow;
            co_await async::sleep_for(20ms, stop);
        }
        largest = std::max(largest, bytes.size());
        for (const auto byte : bytes) good = good && byte == static_cast<std::byte>(received++ % 251);
    }
    int slow = 0;
    int status = 0;
    bool good = true;
    std::uint64_t received = 0;
    std::size_t largest = 0;
};

std::string text_of(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

TEST_CASE("a request says its method, path and headers as they were given") {
    auto request = get(server().plain("/request/a/../b?list-type=2&prefix=a%2Fb"));
    request.method = "DELETE";
    request.headers = {{"x-amz-date", "20130524T000000Z"}, {"x-empty", ""}};
    request.secret_headers.push_back({"authorization", base::Secret("opaque")});
    const auto response = perform(std::move(request));
    CHECK(response.status == 200);
    CHECK(response.body.starts_with("DELETE /request/a/../b?list-type=2&prefix=a%2Fb HTTP/1.1\r\n"));
    CHECK(response.body.find("x-amz-date: 20130524T000000Z") != std::string::npos);
    CHECK(response.body.find("authorization: opaque") != std::string::npos);
    CHECK(response.body.find("x-empty:") != std::string::npos);
    CHECK(response.body.find("Expect") == std::string::npos);
    CHECK(response.body.find("Content-Length") == std::string::npos);
    CHECK(response.header("content-length") == std::to_string(response.body.size()));
    CHECK_FALSE(response.header("x-nothing"));
}

TEST_CASE("a PUT or POST without a body announces none") {
    for (const auto* const method : {"PUT", "POST"}) {
        auto request = get(server().plain("/request"));
        request.method = method;
        const auto response = perform(std::move(request));
        CHECK(response.body.starts_with(std::string(method) + " /request"));
        CHECK(response.body.find("Content-Length: 0") != std::string::npos);
        CHECK(response.body.find("Content-Type") == std::string::npos);
    }
}

TEST_CASE("a HEAD tells the headers of a body that does not come") {
    auto request = get(server().plain("/bytes/1000000"));
    request.method = "HEAD";
    const auto response = perform(std::move(request));
    CHECK(response.status == 200);
    CHECK(response.header("content-length") == "1000000");
    CHECK(response.body.empty());
}

TEST_CASE("bodies of any length arrive whole") {
    for (const std::size_t length : {0UL, 1UL, 65536UL, 3UL * 1024 * 1024 + 7}) {
        const auto bytes = pattern(length);
        for (const bool ask_first : {false, true}) {
            auto request = put(server().plain("/echo"), text_of(bytes));
            request.ask_first = ask_first;
            request.method = ask_first ? "POST" : "PUT";
            const auto response = perform(std::move(request));
            CHECK(response.status == 200);
            CHECK(response.body.size() == length);
            CHECK(response.body == text_of(bytes));
        }
    }
}

TEST_CASE("a source that makes the request wait is waited for, longer than a stall may last") {
    auto request = get(server().plain("/digest"));
    request.method = "PUT";
    request.body = std::make_shared<SlowSource>(5 * 1000, 1000, 150ms);
    const auto response = perform(std::move(request), {.ca_file = {}, .stall_timeout = 100ms});
    CHECK(response.body.starts_with("5000 "));
}

TEST_CASE("a long body streams through a slow sink in bounded memory") {
    const auto sink = std::make_shared<CheckingSink>();
    sink->slow = 10;
    auto request = get(server().plain("/bytes/20000000"));
    request.sink = sink;
    const auto response = perform(std::move(request), {.ca_file = {}, .stall_timeout = 2000ms});
    CHECK(sink->status == 200);
    CHECK(sink->received == 20'000'000);
    CHECK(sink->good);
    CHECK(sink->largest <= 256 * 1024);
    CHECK(response.body.empty());
}

TEST_CASE("a sink hears of an empty answer, and sees none that is not a success") {
    const auto sink = std::make_shared<CheckingSink>();
    auto request = get(server().plain("/bytes/0"));
    request.sink = sink;
    CHECK(perform(request).status == 200);
    CHECK(sink->status == 200);
    sink->status = 0;
    request.url = server().plain("/status/404");
    const auto response = perform(request);
    CHECK(response.status == 404);
    CHECK(response.body == "status 404");
    CHECK(sink->status == 0);
    CHECK(sink->received == 0);
}

TEST_CASE("a sink hears of an answer whose body does not come") {
    const auto sink = std::make_shared<CheckingSink>();
    auto request = get(server().plain("/cut/0/100"));
    request.sink = sink;
    CHECK_THROWS_AS(perform(request), base::Error);
    CHECK(sink->status == 200);
    CHECK(sink->received == 0);
}

TEST_CASE("every status is an answer, redirects too") {
    for (const int status : {204, 400, 404, 412, 500, 503}) {
        if (status == 204) continue;  // has no body
        CHECK(perform(get(server().plain("/status/" + std::to_string(status)))).status == status);
    }
    const auto response = perform(put(server().plain("/redirect"), "body"));
    CHECK(response.status == 301);
    CHECK(response.header("location") == "http://elsewhere.invalid/");
    CHECK(response.header("x-amz-bucket-region") == "eu-west-1");
}

TEST_CASE("a connection is kept for the next request, and replaced where the server closed it") {
    const auto url = server().plain("/connection");
    const auto kept = perform_all({get(url), put(url, "x"), get(url)});
    CHECK(kept[0].body == kept[1].body);
    CHECK(kept[0].body == kept[2].body);
    // A request without a body: one that has sent some of it when the close arrives fails, and is its caller's to
    // repeat.
    const auto left = perform_all({get(server().plain("/leave")), get(url)});
    CHECK(left[0].body == "good-bye");
    CHECK(left[1].status == 200);
}

TEST_CASE("TLS with an authority of one's own, and IPv6") {
    Options options;
    options.ca_file = server().authority();
    CHECK(perform(put(server().tls("/digest"), "abc"), options).body.starts_with("3 ba7816bf"));
    if (server().has_ipv6()) CHECK(perform(put(server().ipv6("/digest"), "abc")).body.starts_with("3 ba7816bf"));
}
