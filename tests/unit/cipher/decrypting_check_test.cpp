#include "cipher/decrypting_check.hpp"

#include <fstream>

#include "cipher/decryption.hpp"
#include "support/common.hpp"

using namespace pgbakd;
using base::ErrorCode;

namespace {

// What it was handed; fails at a byte.
class Content final : public codec::Check {
  public:
    explicit Content(std::string& text, std::size_t most) : text_(text), most_(most) {}
    base::Status write(codec::Bytes bytes) override {
        text_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
        if (text_.size() > most_) return base::Error(ErrorCode::corrupt, "the content is bad");
        return {};
    }
    base::Status finish() override {
        finished = true;
        return {};
    }
    [[nodiscard]] const codec::CheckResult& result() const noexcept override { return result_; }
    bool finished = false;

  private:
    std::string& text_;
    std::size_t most_;
    codec::CheckResult result_;
};

struct Tried {
    std::string text;
    base::Status status;
    std::optional<base::Error> thrown;
};

Tried try_script(const std::string& script, const std::string& input, std::size_t most = std::string::npos,
                 std::size_t piece = 100'000) {
    os::Command command;
    command.argv = {"/bin/sh", "-c", script};
    command.feed_input = true;
    command.secret_file_text = base::Secret(std::string("the key\n"));
    const cipher::Explain explain = [](const auto& ending, const std::string& words) {
        return cipher::decrypting_failure("age", "KEY", ending, words);
    };
    Tried tried;
    try {
        cipher::DecryptingCheck check(command, explain, std::make_unique<Content>(tried.text, most));
        const auto bytes = std::as_bytes(std::span(input));
        for (std::size_t at = 0; at < bytes.size() && tried.status; at += piece)
            tried.status = check.write(bytes.subspan(at, std::min(piece, bytes.size() - at)));
        if (tried.status) tried.status = check.finish();
    } catch (const base::Error& error) {
        tried.thrown = error;
    }
    return tried;
}

}  // namespace

TEST_CASE("what the program makes of the bytes is what the content's check gets") {
    const std::string large(3'000'000, 'x');
    for (const std::size_t piece : {std::size_t{100'000}, std::size_t{7'000'000}}) {
        const auto tried = try_script("cat; cat /dev/fd/3", large, std::string::npos, piece);
        CHECK(tried.status);
        CHECK_FALSE(tried.thrown);
        CHECK(tried.text == large + "the key\n");
    }
    CHECK(try_script("cat >/dev/null; head -c 2000000 /dev/zero", "a").text.size() == 2'000'000);
    CHECK(try_script("cat", "").text.empty());
    // Much that it says keeps it from nothing.
    const auto loud = try_script("seq 1 100000 >&2; cat; seq 1 100000 >&2", "abc");
    CHECK(loud.status);
    CHECK(loud.text == "abc");
}

TEST_CASE("damage is a verdict, and all else that goes wrong says nothing of the bytes") {
    const std::string large(3'000'000, 'x');
    const auto bad_content = try_script("cat", large, 1000);
    CHECK(bad_content.status.error().message() == "the content is bad");
    const auto damaged = try_script(
        "head -c 1000; echo 'age: error: failed to decrypt and authenticate payload chunk' >&2; exit 1", large);
    REQUIRE_FALSE(damaged.status);
    CHECK(damaged.status.error().code() == ErrorCode::corrupt);
    // Also where it fails at the end.
    CHECK(try_script("cat; echo unexpected EOF >&2; exit 1", "abc").status.error().code() == ErrorCode::corrupt);
    const auto other_key =
        try_script("echo 'age: error: no identity matched any of the recipients' >&2; exit 1", large);
    REQUIRE(other_key.thrown);
    CHECK(other_key.thrown->code() == ErrorCode::authentication_failed);
    const auto killed = try_script("cat; kill -9 $$", "abc");
    REQUIRE(killed.thrown);
    CHECK(killed.thrown->message() == "age failed: killed by signal 9 (SIGKILL)");
    // A program that ends well without having read everything has read something else.
    REQUIRE(try_script("head -c 10", large).thrown);
}

TEST_CASE("the stage on the reactor does the same") {
    asio::io_context io;
    os::Command command;
    command.argv = {"/bin/sh", "-c", "cat /dev/fd/3; cat; test -z \"$FAIL\" || { echo unexpected EOF >&2; exit 1; }"};
    command.feed_input = true;
    command.secret_file_text = base::Secret(std::string("key "));
    const cipher::Explain explain = [](const auto& ending, const std::string& words) {
        return cipher::decrypting_failure("age", "KEY", ending, words);
    };
    const std::string input(2'000'000, 'y');
    for (const bool fails : {false, true}) {
        if (fails) command.environment.push_back({"FAIL", base::Secret(std::string("1"))});
        std::string text;
        std::exception_ptr failure;
        cipher::Stage stage(io.get_executor(), command, explain);
        async::TaskGroup feeding(io.get_executor());
        const auto* const bytes = reinterpret_cast<const std::byte*>(input.data());
        stage.push(std::make_shared<const std::vector<std::byte>>(bytes, bytes + input.size()));
        stage.close();
        feeding.spawn(stage.feed({}));
        const auto read_all = [&]() -> asio::awaitable<void> {
            std::vector<std::byte> buffer(65536);
            for (;;) {
                const auto count = co_await stage.read(buffer, {});
                if (count == 0) break;
                text.append(reinterpret_cast<const char*>(buffer.data()), count);
            }
            co_await feeding.join();
            try {
                co_await stage.finish({});
            } catch (...) {
                failure = std::current_exception();
            }
            co_await stage.abort();
        };
        asio::co_spawn(io, read_all(), [](const std::exception_ptr& thrown) { REQUIRE_FALSE(thrown); });
        io.restart();
        io.run();
        CHECK(text == "key " + input);
        CHECK(bool(failure) == fails);
        if (failure) CHECK(base::to_error(failure).code() == ErrorCode::corrupt);
    }
}
