#include "support/catch.hpp"
#include "target/forwarding.hpp"
#include "target/meter.hpp"
#include "target/rate.hpp"
#include "target/retry.hpp"
#include "target/whole.hpp"

namespace asio = pgbakd::asio;
namespace async = pgbakd::async;
namespace base = pgbakd::base;
namespace target = pgbakd::target;
using base::ErrorCode;
using namespace std::chrono_literals;

namespace {

// Has got four bytes of an upload from before.
class Resumed final : public target::Upload {
  public:
    [[nodiscard]] std::uint64_t begins_at() const noexcept override { return 4; }
    explicit Resumed(std::function<void()> on_call) : on_call_(std::move(on_call)) {}
    asio::awaitable<void> write(async::Chunk, async::StopToken) override {
        if (on_call_) on_call_();
        co_return;
    }
    asio::awaitable<target::Receipt> finish(async::StopToken) override {
        if (on_call_) on_call_();
        co_return target::Receipt();
    }
    asio::awaitable<void> abort() override { co_return; }

  private:
    std::function<void()> on_call_;
};

// Has one object, fails as often as it is told to, and gives at most so many bytes before it does.
class Scripted final : public target::ForwardingTarget {
  public:
    Scripted() : ForwardingTarget(nullptr) {}
    asio::awaitable<std::uint64_t> get(std::string, target::Range range, target::Sink& sink,
                                       async::StopToken stop) override {
        ++calls;
        const auto rest = std::string_view(content).substr(std::min<std::size_t>(range.offset, content.size()));
        const auto wanted = rest.substr(0, range.length.value_or(rest.size()));
        const auto given = failures > 0 ? wanted.substr(0, 4) : wanted;
        co_await sink.write(std::as_bytes(std::span(given)), stop);
        if (failures > 0) {
            --failures;
            throw failure;
        }
        co_return given.size();
    }
    asio::awaitable<std::vector<target::Refusal>> remove(std::vector<std::string>, async::StopToken) override {
        ++calls;
        if (failures > 0) {
            --failures;
            if (asked > 0ms) throw target::Throttled(failure, asked);
            throw failure;
        }
        co_return std::vector<target::Refusal>();
    }
    asio::awaitable<std::unique_ptr<target::Upload>> put(std::string, target::PutOptions, async::StopToken) override {
        co_return std::make_unique<Resumed>(on_call);
    }
    std::string content = "0123456789";
    base::Error failure{ErrorCode::unreachable, "lost", {}, base::Persistence::passing};
    std::chrono::milliseconds asked{0};
    int failures = 0;
    int calls = 0;
    std::function<void()> on_call;  // of its uploads
};

class BrokenSink final : public target::Sink {
  public:
    asio::awaitable<void> write(std::span<const std::byte>, async::StopToken) override {
        throw base::Error(ErrorCode::io_failed, "the disk", {}, base::Persistence::passing);
        co_return;
    }
};

template <class T>
T run(asio::awaitable<T> task) {
    asio::io_context io;
    std::exception_ptr failure;
    std::optional<T> result;
    asio::co_spawn(io, std::move(task), [&](const std::exception_ptr& thrown, T value) {
        failure = thrown;
        result.emplace(std::move(value));
    });
    io.run();
    if (failure) std::rethrow_exception(failure);
    return std::move(*result);
}

target::RetryPolicy quick() {
    target::RetryPolicy policy;
    policy.attempts = 4;
    policy.first = 1ms;
    policy.random = [] { return 0; };
    return policy;
}

}  // namespace

TEST_CASE("what fails for a passing cause is tried again, as often as the policy says") {
    const auto scripted = std::make_shared<Scripted>();
    const auto retrying = target::with_retry(scripted, quick());
    scripted->failures = 3;
    CHECK(run(retrying->remove({"a"}, {})).empty());
    CHECK(scripted->calls == 4);
    scripted->failures = 4;
    CHECK_THROWS_WITH(run(retrying->remove({"a"}, {})), "lost");
    CHECK(scripted->calls == 8);
    scripted->failure = {ErrorCode::permission_denied, "no"};
    scripted->failures = 1;
    CHECK_THROWS_WITH(run(retrying->remove({"a"}, {})), "no");
    CHECK(scripted->calls == 9);
}

TEST_CASE("a service that asks for a pause gets it, or is left to whoever comes back later") {
    const auto scripted = std::make_shared<Scripted>();
    auto policy = quick();
    const auto retrying = target::with_retry(scripted, policy);
    scripted->asked = 30ms;
    scripted->failures = 2;
    const auto begin = std::chrono::steady_clock::now();
    CHECK(run(retrying->remove({"a"}, {})).empty());
    CHECK(std::chrono::steady_clock::now() - begin >= 60ms);
    CHECK(scripted->calls == 3);
    scripted->asked = policy.most_asked + 1ms;
    scripted->failures = 1;
    CHECK_THROWS_WITH(run(retrying->remove({"a"}, {})), "lost");
    CHECK(scripted->calls == 4);
}

TEST_CASE("reading goes on where it broke off, and ends with the sink that fails") {
    const auto scripted = std::make_shared<Scripted>();
    const auto retrying = target::with_retry(scripted, quick());
    struct Row {
        int failures;
        target::Range range;
        std::string expected;
    };
    for (const auto& [failures, range, expected] :
         {Row{0, {}, "0123456789"}, Row{2, {}, "0123456789"}, Row{3, {}, "0123456789"}, Row{2, {1, 8}, "12345678"},
          Row{1, {0, 4}, "0123"}, Row{0, {10, std::nullopt}, ""}}) {
        scripted->failures = failures;
        target::TextSink sink(100);
        CHECK(run(retrying->get("a", range, sink, {})) == expected.size());
        CHECK(sink.text() == expected);
    }
    scripted->failures = 0;
    scripted->calls = 0;
    BrokenSink broken;
    CHECK_THROWS_WITH(run(retrying->get("a", {}, broken, {})), "the disk");
    CHECK(scripted->calls == 1);
}

TEST_CASE("a token bucket gives its rate, with a small burst") {
    target::TokenBucket bucket(1000);
    const base::SteadyTime start{1h};
    CHECK(bucket.take(250, start) == 0ms);
    CHECK(bucket.take(500, start) == 500ms);
    CHECK(bucket.take(1000, start) == 1500ms);
    CHECK(bucket.take(1000, start + 1s) == 1500ms);
    // Idle time is not saved up beyond the burst.
    CHECK(bucket.take(250, start + 1h) == 0ms);
    CHECK(bucket.take(1, start + 1h) == 1ms);
    bucket.set_rate(0);
    CHECK(bucket.take(std::uint64_t{1} << 40U, start + 1h) == 0ms);
    bucket.set_rate(1'000'000'000);
    CHECK(bucket.take(1'250'000'000, start + 2h) == 1s);
}

TEST_CASE("a meter counts what went through, and remembers the last failure until something succeeds") {
    const auto scripted = std::make_shared<Scripted>();
    const auto meter = std::make_shared<target::Meter>();
    const base::ManualClock clock(base::Timestamp(5s));
    const auto metered = target::with_meter(scripted, meter, clock);
    target::TextSink sink(100);
    run(metered->get("a", {}, sink, {}));
    CHECK(meter->bytes_received == 10);
    CHECK(meter->failures == 0);
    CHECK(meter->last_succeeded == base::Timestamp(5s));
    scripted->failures = 1;
    CHECK_THROWS_WITH(run(metered->remove({"a"}, {})), "lost");
    CHECK(meter->failures == 1);
    REQUIRE(meter->last_failure);
    CHECK(meter->last_failure->message() == "lost");
    scripted->failure = {ErrorCode::cancelled, "stopped"};
    scripted->failures = 1;
    CHECK_THROWS_WITH(run(metered->remove({"a"}, {})), "stopped");
    CHECK(meter->failures == 1);
    run(metered->remove({"a"}, {}));
    CHECK_FALSE(meter->last_failure);
}

TEST_CASE("an upload that goes on is metered from where it was, and has a length as soon as that is known") {
    const auto meter = std::make_shared<target::Meter>();
    const base::ManualClock clock(base::Timestamp(5s));
    const auto metered = target::with_meter(std::make_shared<Scripted>(), meter, clock);
    const auto upload = run(metered->put("a", {}, {}));
    REQUIRE(meter->sending.size() == 1);
    const auto& sending = meter->sending.begin()->second;
    CHECK(sending.bytes == 4);
    CHECK(sending.begun_at == 4);
    CHECK_FALSE(sending.of);
    const auto write = [&]() -> asio::awaitable<int> {
        const auto chunk = std::make_shared<const std::vector<std::byte>>(3);
        co_await upload->write(chunk, {});
        co_return 0;
    };
    run(write());
    CHECK(sending.bytes == 7);
    CHECK(meter->bytes_sent == 3);
    upload->expect(9);
    CHECK(sending.of == 9);
}

TEST_CASE("who wants to know is told of each failure that is tried again, and not of the last") {
    const auto scripted = std::make_shared<Scripted>();
    scripted->failure = {ErrorCode::timed_out, "no byte moved", {}, base::Persistence::passing};
    scripted->failures = 9;
    std::vector<std::string> told;
    auto policy = quick();
    policy.on_retry = [&told](const base::Error& error) { told.push_back(error.message()); };
    const auto retrying = target::with_retry(scripted, policy);
    CHECK_THROWS_WITH(run(retrying->remove({"a"}, {})), "no byte moved");
    CHECK(told == std::vector<std::string>(3, "no byte moved"));
}

TEST_CASE("a meter tells since when a target has been offered something that it has not taken") {
    const auto scripted = std::make_shared<Scripted>();
    const auto meter = std::make_shared<target::Meter>();
    const base::ManualClock clock(base::Timestamp(5s));
    const auto metered = target::with_meter(scripted, meter, clock);
    int seen = 0;
    scripted->on_call = [&] {
        ++seen;
        CHECK(meter->sending.begin()->second.offered == base::Timestamp(5s));
    };
    const auto upload = run(metered->put("a", {}, {}));
    CHECK_FALSE(meter->sending.begin()->second.offered);
    const auto write = [&]() -> asio::awaitable<int> {
        const auto chunk = std::make_shared<const std::vector<std::byte>>(3);
        co_await upload->write(chunk, {});
        co_return 0;
    };
    run(write());
    CHECK_FALSE(meter->sending.begin()->second.offered);
    run(upload->finish({}));
    CHECK_FALSE(meter->sending.begin()->second.offered);
    CHECK(seen == 2);
}
