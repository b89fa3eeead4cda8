#include <signal.h>

#include "async/buffers.hpp"
#include "async/child.hpp"
#include "async/lane.hpp"
#include "async/pool.hpp"
#include "async/task_group.hpp"
#include "async/timer.hpp"
#include "support.hpp"
#include "support/catch.hpp"

namespace async = pgbakd::async;
namespace base = pgbakd::base;
namespace os = pgbakd::os;
using pgbakd::asio::awaitable;
using namespace std::chrono_literals;

namespace {

awaitable<void> fail(std::string message) {
    throw base::Error(base::ErrorCode::io_failed, message);
    co_return;
}

awaitable<void> note(std::vector<int>& log, int number) {
    log.push_back(number);
    co_return;
}

awaitable<void> wait_for(async::Event& event, async::StopToken stop, int& woken) {
    co_await event.wait(std::move(stop));
    ++woken;
}

}  // namespace

TEST_CASE("a group waits for all its tasks and tells the first failure") {
    pgbakd::asio::io_context io;
    async::TaskGroup group(io.get_executor());
    std::vector<int> log;
    int told = 0;
    group.spawn(note(log, 1));
    group.spawn(fail("first"), [&told](const std::exception_ptr&) { ++told; });
    group.spawn(fail("second"));
    group.spawn(note(log, 2));
    CHECK_THROWS_WITH(support::run(io, group.join()), "first");
    CHECK(log == std::vector<int>{1, 2});
    CHECK(told == 1);
    CHECK(group.running() == 0);
    CHECK_NOTHROW(support::run(io, group.join()));
}

TEST_CASE("a group that settles waits for all its tasks, and no failure is left of them") {
    pgbakd::asio::io_context io;
    async::TaskGroup group(io.get_executor());
    std::vector<int> log;
    group.spawn(fail("first"));
    group.spawn(note(log, 1));
    CHECK_NOTHROW(support::run(io, group.settle()));
    CHECK(log == std::vector<int>{1});
    CHECK(group.running() == 0);
    CHECK_NOTHROW(support::run(io, group.join()));
}

TEST_CASE("an event wakes those who wait, and a stop ends the wait with its reason") {
    pgbakd::asio::io_context io;
    async::Event event(io.get_executor());
    async::StopSource stop;
    async::TaskGroup group(io.get_executor());
    int woken = 0;
    group.spawn(wait_for(event, {}, woken));
    group.spawn(wait_for(event, stop.token(), woken));
    io.poll();
    CHECK(woken == 0);
    stop.stop({base::ErrorCode::cancelled, "enough"});
    io.poll();
    CHECK(woken == 1);  // a stop wakes all; the first looks at its condition again
    event.notify();
    CHECK_THROWS_WITH(support::run(io, group.join()), "enough");
}

TEST_CASE("a wait for an event ends with the event, with its time or with the stop's reason") {
    pgbakd::asio::io_context io;
    async::Event event(io.get_executor());
    async::StopSource stop;
    async::TaskGroup group(io.get_executor());
    group.spawn(async::wait_at_most(event, std::chrono::hours(1), {}));
    io.poll();
    CHECK(group.running() == 1);
    event.notify();
    CHECK_NOTHROW(support::run(io, group.join()));
    CHECK_NOTHROW(support::run(io, async::wait_at_most(event, std::chrono::milliseconds(1), {})));
    CHECK_NOTHROW(support::run(io, async::wait_at_most(event, std::chrono::hours(-1), {})));
    group.spawn(async::wait_at_most(event, std::chrono::hours(1), stop.token()));
    io.poll();
    stop.stop({base::ErrorCode::cancelled, "enough"});
    CHECK_THROWS_WITH(support::run(io, group.join()), "enough");
}

namespace {

awaitable<void> use_pool(async::Pool& pool, std::string& result) {
    const std::string text(100, 'x');
    const auto concatenate = [text, copy = text] { return text + copy; };
    result = co_await async::run_blocking(pool, concatenate);
    const auto throwing = []() -> int { throw base::Error(base::ErrorCode::no_space, "full"); };
    (void)co_await async::run_blocking(pool, throwing);
}

}  // namespace

TEST_CASE("blocking work gives its value or its error back to the coroutine") {
    pgbakd::asio::io_context io;
    async::Pool pool(2, 0);
    std::string result;
    CHECK_THROWS_WITH(support::run(io, use_pool(pool, result)), "full");
    CHECK(result == std::string(200, 'x'));
    CHECK(pool.completed() == 2);
}

namespace {

awaitable<void> push_all(async::Lane& lane, async::BufferPool& buffers, int count) {
    for (int i = 0; i < count; ++i) {
        auto buffer = co_await buffers.take({});
        buffer->push_back(static_cast<std::byte>(i));
        lane.push(std::move(buffer));
    }
    co_await lane.drain();
}

}  // namespace

TEST_CASE("a lane consumes in order, with no more buffers than its pool has") {
    pgbakd::asio::io_context io;
    async::Pool pool(3, 0);
    async::BufferPool buffers(io.get_executor(), 2, 16);
    std::vector<int> seen;
    async::Lane lane(io.get_executor(), pool,
                     [&seen](std::span<const std::byte> bytes) { seen.push_back(std::to_integer<int>(bytes.front())); },
                     {});
    support::run(io, push_all(lane, buffers, 200));
    REQUIRE(seen.size() == 200);
    CHECK(std::is_sorted(seen.begin(), seen.end()));
}

TEST_CASE("a lane that fails says so once, gives its buffers back and ends the stream with its error") {
    pgbakd::asio::io_context io;
    async::Pool pool(2, 0);
    async::BufferPool buffers(io.get_executor(), 2, 16);
    int told = 0;
    async::Lane lane(
        io.get_executor(), pool,
        [](std::span<const std::byte> bytes) {
            if (bytes.front() == std::byte{5}) throw base::Error(base::ErrorCode::no_space, "disk full");
        },
        [&told] { ++told; });
    CHECK_THROWS_WITH(support::run(io, push_all(lane, buffers, 200)), "disk full");
    CHECK(told == 1);
}

namespace {

os::Command command(std::vector<std::string> argv) {
    os::Command result;
    result.argv = std::move(argv);
    return result;
}

awaitable<void> run_capture(os::Command what, async::Captured& captured) {
    captured = co_await async::capture(std::move(what), 1000, {});
}

awaitable<void> stop_a_sleeper(pid_t& pid) {
    const auto executor = co_await pgbakd::asio::this_coro::executor;
    const auto sleeper = command({"/usr/bin/sleep", "1000"});
    async::Child child(executor, sleeper);
    pid = child.pid();
    const async::Deadline deadline(executor, {}, 50ms, "the nap");
    std::vector<std::byte> buffer(10);
    std::exception_ptr failure;
    try {
        (void)co_await child.read(buffer, deadline.token());
    } catch (...) {
        failure = std::current_exception();
    }
    co_await child.abort();
    std::rethrow_exception(failure);
}

}  // namespace

TEST_CASE("a program's output, its end and its last words are captured") {
    pgbakd::asio::io_context io;
    async::Captured captured;
    support::run(io, run_capture(command({"/usr/bin/printf", "%s", "a b;c"}), captured));
    CHECK(captured.output == "a b;c");  // argv, not a shell
    CHECK(captured.ending.good());
    support::run(io, run_capture(command({"/usr/bin/ls", "/no/such/file"}), captured));
    CHECK(captured.ending.exit_code == 2);
    CHECK(captured.errors.find("/no/such/file") != std::string::npos);
    CHECK_THROWS_AS(support::run(io, run_capture(command({"/usr/bin/yes"}), captured)), base::Error);
}

TEST_CASE("a child that outlives its deadline is ended and gone") {
    pgbakd::asio::io_context io;
    pid_t pid = 0;
    CHECK_THROWS_WITH(support::run(io, stop_a_sleeper(pid)), "the nap took longer than 50 ms");
    CHECK(kill(pid, 0) == -1);
}

namespace {

awaitable<void> feed(os::Command command, std::string text, std::string& output) {
    async::Child child(co_await pgbakd::asio::this_coro::executor, command);
    std::exception_ptr failure;
    try {
        co_await child.write(std::as_bytes(std::span(text)), {});
        child.close_input();
        std::vector<std::byte> buffer(4096);
        for (;;) {
            const auto count = co_await child.read(buffer, {});
            if (count == 0) break;
            output.append(reinterpret_cast<const char*>(buffer.data()), count);
        }
        co_await child.finish({});
    } catch (...) {
        failure = std::current_exception();
    }
    if (!failure) co_return;
    co_await child.abort();
    std::rethrow_exception(failure);
}

}  // namespace

TEST_CASE("a child is fed, and one that reads no more is an error and no signal") {
    pgbakd::asio::io_context io;
    std::string output;
    os::Command count{.argv = {"/bin/sh", "-c", "wc -c"}, .environment = {}, .working_directory = {}};
    count.feed_input = true;
    support::run(io, feed(count, std::string(3'000'000, 'x'), output));
    CHECK(output == "3000000\n");
    auto deaf = count;
    deaf.argv = {"/bin/sh", "-c", "exec <&-; exit 3"};
    CHECK_THROWS_WITH(support::run(io, feed(deaf, std::string(3'000'000, 'x'), output)),
                      "the program stopped reading its input");
}
