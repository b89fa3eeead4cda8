#include "async/stop.hpp"

#include "async/retry.hpp"
#include "support/catch.hpp"

namespace async = pgbakd::async;
namespace base = pgbakd::base;
using namespace std::chrono_literals;

namespace {
const base::Error cancelled(base::ErrorCode::cancelled, "cancelled on request");
const base::Error late(base::ErrorCode::timed_out, "too late");
}  // namespace

TEST_CASE("the first reason to stop is the one that counts") {
    async::StopSource source;
    const auto token = source.token();
    CHECK_FALSE(token.stopped());
    CHECK_NOTHROW(token.check());
    source.stop(cancelled);
    source.stop(late);
    REQUIRE(token.stopped());
    CHECK(token.reason().message() == "cancelled on request");
    CHECK_THROWS_AS(token.check(), base::Error);
}

TEST_CASE("stopping a parent stops its children, with its reason; a child leaves its parent alone") {
    async::StopSource parent;
    async::StopSource child(parent.token());
    async::StopSource sibling(parent.token());
    sibling.stop(late);
    CHECK_FALSE(parent.stopped());
    CHECK_FALSE(child.stopped());
    parent.stop(cancelled);
    CHECK(child.token().reason().code() == base::ErrorCode::cancelled);
    CHECK(sibling.token().reason().code() == base::ErrorCode::timed_out);
    const async::StopSource born_late(parent.token());
    CHECK(born_late.stopped());
}

TEST_CASE("a callback is called once, at once if it is late, and not after its registration went") {
    async::StopSource source;
    int called = 0;
    int gone = 0;
    const auto registration = source.token().on_stop([&called] { ++called; });
    {
        const auto short_lived = source.token().on_stop([&gone] { ++gone; });
    }
    source.stop(cancelled);
    const auto late_registration = source.token().on_stop([&called] { ++called; });
    CHECK(called == 2);
    CHECK(gone == 0);
}

TEST_CASE("a callback may unregister another one") {
    async::StopSource source;
    int called = 0;
    auto second = std::make_unique<async::StopToken::Registration>();
    const auto first = source.token().on_stop([&second] { second.reset(); });
    second = std::make_unique<async::StopToken::Registration>(source.token().on_stop([&called] { ++called; }));
    source.stop(cancelled);
    CHECK(called == 0);
}

TEST_CASE("only a passing cause is retried, with growing pauses, and only so often") {
    const base::Error passing(base::ErrorCode::unreachable, "no answer", {}, base::Persistence::passing);
    async::Backoff backoff(4, 1min, 3min);
    CHECK(backoff.after(passing, 59'999) == 1min);
    CHECK(backoff.after(passing, 119'999) == 2min);
    CHECK(backoff.attempt() == 3);
    CHECK(backoff.after(passing, 179'999) == 3min);  // not four: bounded
    CHECK(backoff.after(passing, 0) == std::nullopt);
    CHECK(async::Backoff(4, 1min).after(late, 0) == std::nullopt);
    CHECK(async::Backoff(1, 1min).after(passing, 0) == std::nullopt);
    CHECK(async::Backoff(2, 1min).after(passing, 0) == 1ms);
}
