// What goes wrong: each fault ends in the right kind of error, soon, with a message for people and without a secret.
#include <unistd.h>

#include "async/timer.hpp"
#include "integration/http/server.hpp"
#include "support/catch.hpp"

using namespace pgbakd;
using namespace pgbakd::http;
using namespace pgbakd::http::testing;
using namespace std::chrono_literals;
using base::ErrorCode;

namespace {

// A URL and headers with secrets in them, of which no error may show any.
Request with_secrets(Request request) {
    request.url += "?X-Secret=hidden-word";
    request.headers.push_back({"x-note", "hidden-word"});
    request.secret_headers.push_back({"authorization", base::Secret("hidden-word")});
    return request;
}

Options impatient() {
    Options options;
    options.connect_timeout = 2s;
    options.stall_timeout = 300ms;
    return options;
}

std::string big() {
    return std::string(8UL * 1024 * 1024, 'x');
}

class NeverSource final : public BodySource {
  public:
    std::uint64_t length() const override { return 10; }
    asio::awaitable<std::span<const std::byte>> next(async::StopToken stop) override {
        co_await async::sleep_for(1h, stop);
        co_return std::span<const std::byte>();
    }
    bool rewind() override { return false; }
};

class ShortSource final : public BodySource {
  public:
    explicit ShortSource(std::size_t announced) : announced_(announced) {}
    std::uint64_t length() const override { return announced_; }
    asio::awaitable<std::span<const std::byte>> next(async::StopToken /*stop*/) override {
        co_return std::exchange(given_, true) ? std::span<const std::byte>() : std::as_bytes(std::span(text_));
    }
    bool rewind() override { return false; }

  private:
    std::size_t announced_;
    bool given_ = false;
    std::string text_ = "hello";
};

class RefusingSink final : public BodySink {
  public:
    asio::awaitable<void> write(std::span<const std::byte> /*bytes*/, async::StopToken /*stop*/) override {
        throw base::Error(ErrorCode::no_space, "the disk is full");
        co_return;
    }
};

asio::awaitable<void> stop_after(async::StopSource& source, std::chrono::milliseconds pause) {
    co_await async::sleep_for(pause, {});
    source.stop({ErrorCode::cancelled, "enough"});
}

}  // namespace

TEST_CASE("a fault of the network passes, a mistake lasts, and no secret is shown") {
    struct Row {
        std::string what;
        Request request;
        ErrorCode code;
        bool passing;
        std::string text;
    };
    const auto& at = server();
    const Row rows[] = {
        {"refused", get("http://127.0.0.1:1/"), ErrorCode::unreachable, true, "connection refused"},
        {"no such host", get("http://no-such-host.invalid/"), ErrorCode::unreachable, true, "cannot be resolved"},
        {"closed", get(at.plain("/close")), ErrorCode::unreachable, true, "closed without an answer"},
        {"cut off", get(at.plain("/cut/1000/5000")), ErrorCode::unreachable, true, "cut off after 1000 B"},
        {"cut off in its headers", get(at.plain("/cut-head")), ErrorCode::unreachable, true, "lost before the answer"},
        {"reset", get(at.plain("/reset/1000/5000")), ErrorCode::unreachable, true, "lost before the answer"},
        {"reset while sending", put(at.plain("/reset-upload/1000"), big()), ErrorCode::unreachable, true, "was lost"},
        {"silent", get(at.plain("/silent")), ErrorCode::timed_out, true, "no byte moved for 300 ms"},
        {"deaf", put(at.plain("/deaf"), big()), ErrorCode::timed_out, true, "no byte moved"},
        {"not HTTP", get(at.plain("/garbage")), ErrorCode::server_error, false, "is not HTTP"},
        {"not TLS", get("https" + at.plain("/echo").substr(4)), ErrorCode::unreachable, true, "no TLS connection"},
        {"large header", get(at.plain("/header/70000")), ErrorCode::server_error, false, "larger than 64.0 KiB"},
        {"large answer", get(at.plain("/bytes/9000000")), ErrorCode::server_error, false, "larger than 8.00 MiB"},
        {"unknown authority", get(at.tls("/echo")), ErrorCode::authentication_failed, false, "not trusted"},
        {"no HTTP URL", get("ftp://127.0.0.1/"), ErrorCode::invalid_argument, false, "not an http"},
        {"no URL", get("127.0.0.1 /"), ErrorCode::invalid_argument, false, "percent-encoded"},
    };
    for (const auto& row : rows) {
        INFO(row.what);
        const auto begin = std::chrono::steady_clock::now();
        const auto error = failure_of(with_secrets(row.request), impatient());
        INFO(error.message() << " / " << error.hint());
        CHECK(error.code() == row.code);
        CHECK(error.is_passing() == row.passing);
        CHECK(error.message().find(row.text) != std::string::npos);
        CHECK((error.message() + error.hint()).find("hidden") == std::string::npos);
        CHECK(std::chrono::steady_clock::now() - begin < 10s);
    }
}

TEST_CASE("a certificate for another name, or a file that holds none, is refused") {
    Options options;
    options.ca_file = server().authority();
    const auto other = failure_of(get(server().tls("/echo", "127.0.0.1")), options);
    CHECK(other.code() == ErrorCode::authentication_failed);
    CHECK_FALSE(other.is_passing());
    CHECK(other.message().find("https://127.0.0.1:") != std::string::npos);
    options.ca_file = "/etc/hostname";
    const auto unreadable = failure_of(get(server().tls("/echo")), options);
    CHECK(unreadable.code() == ErrorCode::invalid_configuration);
    CHECK(unreadable.message().find("/etc/hostname") != std::string::npos);
}

TEST_CASE("slow is not stalled") {
    const auto response = perform(get(server().plain("/trickle/8/100")), impatient());
    CHECK(response.body == "........");
}

TEST_CASE("an early refusal is told, whether the body was still being sent or not yet given") {
    for (const bool ask_first : {false, true}) {
        auto request = put(server().plain("/refuse"), big());
        request.ask_first = ask_first;
        const auto response = perform(std::move(request));
        CHECK(response.status == 403);
        CHECK(response.body.find("AccessDenied") != std::string::npos);
    }
    auto waiting = put(server().plain("/refuse"), "");
    waiting.body = std::make_shared<NeverSource>();
    CHECK(perform(std::move(waiting), impatient()).status == 403);
}

TEST_CASE("a stop ends the request with its reason, whatever it waits for") {
    for (const auto* const path : {"/silent", "/deaf", "/trickle/100000/10"}) {
        asio::io_context io;
        Client client(io.get_executor(), {});
        async::StopSource source;
        std::exception_ptr failure;
        auto request = std::string_view(path) == "/deaf" ? put(server().plain(path), big()) : get(server().plain(path));
        asio::co_spawn(io, client.perform(std::move(request), source.token()),
                       [&failure](const std::exception_ptr& thrown, const Response&) { failure = thrown; });
        asio::co_spawn(io, stop_after(source, 100ms), [](const std::exception_ptr&) {});
        io.run();
        REQUIRE(failure);
        CHECK(base::to_error(failure).message() == "enough");
    }
}

TEST_CASE("what a source or a sink says is what the request says") {
    for (const std::size_t announced : {3UL, 8UL}) {
        auto request = put(server().plain("/echo"), "");
        request.body = std::make_shared<ShortSource>(announced);
        const auto error = failure_of(std::move(request));
        CHECK(error.code() == ErrorCode::io_failed);
        CHECK(error.message().find(announced == 3 ? "longer than" : "shorter than") != std::string::npos);
    }
    auto request = get(server().plain("/bytes/1000"));
    request.sink = std::make_shared<RefusingSink>();
    CHECK(failure_of(std::move(request)).message() == "the disk is full");
}

TEST_CASE("a header that would begin another is not sent") {
    auto request = get(server().plain("/request"));
    request.headers = {{"x-note", "a\r\nx-other: b"}};
    CHECK(failure_of(request).code() == ErrorCode::invalid_argument);
    request.headers = {{"x note", "a"}};
    CHECK(failure_of(request).code() == ErrorCode::invalid_argument);
}

TEST_CASE("a reactor that ends in the middle of a request leaves nothing behind") {
    asio::io_context io;
    Client client(io.get_executor(), {});
    asio::co_spawn(io, client.perform(get(server().plain("/silent")), {}),
                   [](const std::exception_ptr&, const Response&) {});
    io.run_for(100ms);
    CHECK_FALSE(io.stopped());
}
