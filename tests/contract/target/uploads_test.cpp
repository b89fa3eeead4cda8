// What every target promises of uploads that do not end well.
#include "async/timer.hpp"
#include "bench.hpp"
#include "target/probe.hpp"

using namespace contract;
using base::ErrorCode;

namespace {

const base::Error stop_reason{ErrorCode::cancelled, "somebody asked to stop"};

asio::awaitable<void> put_and_abort(target::Target& target, std::string key) {
    const auto upload = co_await target.put(std::move(key), {}, {});
    const auto chunk = chunk_of(noise(200'000));
    for (int i = 0; i < 4; ++i) co_await upload->write(chunk, {});
    co_await upload->abort();
}

asio::awaitable<void> abort_at_once(target::Target& target, std::string key) {
    const auto upload = co_await target.put(std::move(key), {}, {});
    co_await upload->abort();
}

asio::awaitable<void> suspend(target::Target& target, std::string key) {
    const auto upload = co_await target.put(std::move(key), {}, {});
    const auto chunk = chunk_of(noise(200'000));
    co_await upload->write(chunk, {});
    co_await upload->suspend();
}

// Without an end, until it is stopped; then what it threw.
asio::awaitable<std::optional<base::Error>> put_until_stopped(target::Target& target, std::string key,
                                                              async::StopSource& source) {
    const auto stop = source.token();
    const auto upload = co_await target.put(std::move(key), {}, stop);
    asio::steady_timer timer(co_await asio::this_coro::executor, std::chrono::milliseconds(300));
    timer.async_wait([&source](const boost::system::error_code&) { source.stop(stop_reason); });
    std::exception_ptr failure;
    try {
        const auto chunk = chunk_of(noise(200'000));
        for (;;) co_await upload->write(chunk, stop);
    } catch (...) {
        failure = std::current_exception();
    }
    co_await upload->abort();
    co_return base::to_error(failure);
}

asio::awaitable<std::optional<base::Error>> finish_stopped(target::Target& target, std::string key,
                                                           async::StopSource& source) {
    const auto upload = co_await target.put(std::move(key), {}, source.token());
    const auto chunk = chunk_of("some");
    co_await upload->write(chunk, source.token());
    source.stop(stop_reason);
    std::exception_ptr failure;
    try {
        co_await upload->finish(source.token());
    } catch (...) {
        failure = std::current_exception();
    }
    co_await upload->abort();
    co_return base::to_error(failure);
}

// With another target of the same place, by a clock that is a day ahead.
asio::awaitable<target::Swept> put_and_sweep(target::Target& target, target::Target& other, std::string key) {
    const auto upload = co_await target.put(std::move(key), {}, {});
    const auto chunk = chunk_of(noise(200'000));
    co_await upload->write(chunk, {});
    const auto tomorrow = base::SystemClock().now() + std::chrono::hours(24);
    const auto swept = co_await other.sweep(tomorrow, {});
    co_await upload->finish({});
    co_return swept;
}

// Two at once for one key: how many of them were told that they succeeded.
asio::awaitable<int> put_twice(target::Target& target, std::string key) {
    const auto first = co_await target.put(key, {}, {});
    const auto second = co_await target.put(key, {}, {});
    const auto one = chunk_of("first");
    const auto other = chunk_of("second");
    co_await first->write(one, {});
    co_await second->write(other, {});
    int good = 0;
    for (const auto* upload : {&first, &second}) {
        bool refused = false;
        try {
            co_await (*upload)->finish({});
            ++good;
        } catch (const base::Error& error) {
            CHECK(error.code() == ErrorCode::conflict);
            refused = true;
        }
        if (refused) co_await (*upload)->abort();
    }
    co_return good;
}

}  // namespace

TEMPLATE_TEST_CASE("an aborted upload leaves nothing", "", CONTRACT_PLACES) {
    Bench<TestType> bench;
    if (!bench.ready()) return;
    bench.run(put_and_abort(bench.target(), "job/set/a"));
    bench.run(abort_at_once(bench.target(), "job/set/b"));
    CHECK(bench.keys().empty());
    CHECK_FALSE(bench.stat("job/set/a"));
    CHECK(bench.place.leftovers() == 0);
    bench.put("job/set/a", "now");
    CHECK(bench.get("job/set/a") == "now");
}

TEMPLATE_TEST_CASE("a suspended upload is no object", "", CONTRACT_PLACES) {
    Bench<TestType> bench;
    if (!bench.ready()) return;
    bench.run(suspend(bench.target(), "job/set/a"));
    CHECK_FALSE(bench.stat("job/set/a"));
    CHECK(bench.keys().empty());
    const auto facts = bench.run(bench.target().facts({}));
    if (!facts.resumable) CHECK(bench.place.leftovers() == 0);
    CHECK_FALSE(facts.name.empty());
    CHECK_FALSE(facts.type.empty());
    CHECK_FALSE(facts.place.empty());
}

TEMPLATE_TEST_CASE("a stop in the middle of an upload ends it with the reason, and it leaves nothing", "",
                   CONTRACT_PLACES) {
    Bench<TestType> bench;
    if (!bench.ready()) return;
    async::StopSource source;
    const auto error = bench.run(put_until_stopped(bench.target(), "job/set/a", source));
    REQUIRE(error);
    CHECK(error->code() == ErrorCode::cancelled);
    CHECK(error->message() == stop_reason.message());
    async::StopSource second;
    CHECK(bench.run(finish_stopped(bench.target(), "job/set/b", second))->code() == ErrorCode::cancelled);
    CHECK(bench.keys().empty());
    CHECK(bench.place.leftovers() == 0);
}

TEMPLATE_TEST_CASE("a stop in the middle of reading ends it", "", CONTRACT_PLACES) {
    Bench<TestType> bench;
    if (!bench.ready()) return;
    bench.put("object", noise(3'000'000));
    async::StopSource source;
    StringSink sink;
    sink.on_write = [&] { source.stop(stop_reason); };
    const auto error = bench.error_of([&] { bench.run(bench.target().get("object", {}, sink, source.token())); });
    CHECK(error.code() == ErrorCode::cancelled);
    CHECK(sink.text.size() < 3'000'000);
    // And one that was asked before begins nothing.
    CHECK(bench.error_of([&] { bench.run(bench.target().list("", "", 10, source.token())); }).code() ==
          ErrorCode::cancelled);
}

TEMPLATE_TEST_CASE("of two uploads to one key one is refused", "", CONTRACT_PLACES) {
    Bench<TestType> bench;
    if (!bench.ready()) return;
    // Where both are written under the key at once, nothing can be promised.
    if (!TestType::hides_unfinished) return;
    CHECK(bench.run(put_twice(bench.target(), "job/set/manifest.json")) == 1);
    CHECK(bench.get("job/set/manifest.json") == "first");
    CHECK(bench.place.leftovers() == 0);
}

TEMPLATE_TEST_CASE("a sweep removes what is stale, and nothing else", "", CONTRACT_PLACES) {
    Bench<TestType> bench;
    if (!bench.ready()) return;
    using std::chrono::hours;
    CHECK(bench.run(bench.target().sweep(base::SystemClock().now(), {})).uploads == 0);
    bench.put("job/set/a", "object");
    bench.place.leave_upload("old", 100, hours(30));
    bench.place.leave_upload("older", 11, hours(300));
    const auto day_ago = bench.place.moment(hours(24));
    bench.place.leave_upload("young", 5, hours(2));
    CHECK(bench.keys() == std::vector<std::string>{"job/set/a"});
    const auto swept = bench.run(bench.target().sweep(day_ago, {}));
    CHECK(swept.uploads == 2);
    CHECK(swept.bytes == 111);
    CHECK(bench.place.leftovers() == 1);
    CHECK(bench.get("job/set/a") == "object");
    CHECK(bench.run(bench.target().sweep(bench.place.moment(hours(1)), {})).uploads == 1);
    CHECK(bench.place.leftovers() == 0);
}

TEMPLATE_TEST_CASE("an upload under way is not swept, whatever the clock says and however often a target is opened", "",
                   CONTRACT_PLACES) {
    Bench<TestType> bench;
    if (!bench.ready()) return;
    const auto before = bench.opened();
    REQUIRE(bench.ready());
    CHECK(bench.run(put_and_sweep(*before, bench.target(), "job/set/a")).uploads == 0);
    CHECK(bench.get("job/set/a") == noise(200'000));
    CHECK(bench.place.leftovers() == 0);
}

TEMPLATE_TEST_CASE("what is not allowed is told, with what to do, and is not tried again", "", CONTRACT_PLACES) {
    Bench<TestType> bench;
    if (!bench.ready()) return;
    bench.put("job/set/a", "object");
    bench.place.forbid_writing();
    const auto error = bench.error_of([&] { bench.put("job/set/b", noise(300'000)); });
    INFO(error.message());
    CHECK(error.code() == ErrorCode::permission_denied);
    CHECK_FALSE(error.hint().empty());
    CHECK_FALSE(error.is_passing());
    CHECK(bench.get("job/set/a") == "object");
    const auto refused = bench.remove({"job/set/a", "job/set/missing"});
    REQUIRE(refused.size() == 1);
    CHECK(refused[0].key == "job/set/a");
    CHECK(refused[0].error.code() == ErrorCode::permission_denied);
}

TEMPLATE_TEST_CASE("a probe tells which permission is missing", "", CONTRACT_PLACES) {
    Bench<TestType> bench;
    if (!bench.ready()) return;
    using Outcome = target::ProbeResult::Outcome;
    const auto now = base::SystemClock().now();
    bench.put("job/set/a", "object");
    const auto good = bench.run(target::probe(bench.target(), now, {}));
    CHECK(good.good());
    CHECK_FALSE(good.failure("nas"));
    CHECK(good.results.size() == (std::is_base_of_v<S3Place, TestType> ? 6 : 4));
    CHECK(bench.place.leftovers() == 0);
    CHECK(bench.keys() == std::vector<std::string>{"job/set/a"});
    bench.place.forbid_writing();
    const auto report = bench.run(target::probe(bench.target(), now, {}));
    REQUIRE(report.results.size() == 4);
    CHECK(report.results[0].outcome == Outcome::failed);
    CHECK(report.results[1].outcome == Outcome::not_tried);
    CHECK(report.results[2].outcome == Outcome::good);
    CHECK(report.results[3].outcome == Outcome::not_tried);
    const auto failure = report.failure("nas");
    REQUIRE(failure);
    CHECK(failure->code() == ErrorCode::permission_denied);
    CHECK(failure->message().starts_with("target nas: writing is not possible: "));
}
