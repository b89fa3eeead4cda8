#include "async/leaving.hpp"

#include <condition_variable>
#include <thread>

#include "async/pool.hpp"
#include "support.hpp"
#include "support/catch.hpp"

namespace async = pgbakd::async;
namespace base = pgbakd::base;
using pgbakd::asio::awaitable;
using namespace std::chrono_literals;

namespace {

// Where a job hangs until it is let go.
class Gate {
  public:
    void wait() {
        std::unique_lock lock(mutex_);
        reached_ = true;
        changed_.notify_all();
        changed_.wait(lock, [this] { return open_; });
    }
    void wait_reached() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return reached_; });
    }
    void open() {
        const std::lock_guard lock(mutex_);
        open_ = true;
        changed_.notify_all();
    }

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool reached_ = false, open_ = false;
};

template <class Function>
awaitable<void> leave(async::Pool& pool, Function work, async::Patience patience, std::string& result) {
    result = co_await async::run_leaving(pool, work, std::move(patience));
}

template <class Function>
base::Error error_of(pgbakd::asio::io_context& io, async::Pool& pool, Function work, async::Patience patience) {
    std::string result;
    try {
        support::run(io, leave(pool, work, std::move(patience), result));
    } catch (const base::Error& error) {
        return error;
    }
    FAIL("no error was thrown");
    throw std::logic_error("not reached");
}

async::Patience patience(std::chrono::milliseconds stall, std::chrono::milliseconds after_stop = 0ms,
                         async::StopToken stop = {}) {
    return {.what = "writing to /mnt/nas", .stall = stall, .after_stop = after_stop, .stop = std::move(stop)};
}

}  // namespace

TEST_CASE("work that may hang gives its value or its error like any other") {
    pgbakd::asio::io_context io;
    async::Pool pool(2, 0);
    std::string result;
    const std::string text(100, 'x');
    const auto good = [text](async::Waiting&) { return text + text; };
    support::run(io, leave(pool, good, patience(1h), result));
    CHECK(result == std::string(200, 'x'));
    const auto bad = [](async::Waiting&) -> std::string { throw base::Error(base::ErrorCode::no_space, "full"); };
    CHECK(error_of(io, pool, bad, patience(0ms)).message() == "full");
    CHECK(pool.left() == 0);
}

TEST_CASE("work that hangs is left behind, and counted until it ends") {
    auto gate = std::make_shared<Gate>();
    async::Pool pool(1, 0);
    auto was_left = std::make_shared<std::atomic<bool>>(false);
    {
        pgbakd::asio::io_context io;
        const auto hang = [gate, was_left](async::Waiting& waiting) {
            gate->wait();
            *was_left = waiting.left();
            return std::string();
        };
        const auto error = error_of(io, pool, hang, patience(50ms));
        CHECK(error.code() == base::ErrorCode::timed_out);
        CHECK(error.is_passing());
        CHECK(error.message() == "writing to /mnt/nas has not moved for 50 ms");
        CHECK(pool.left() == 1);
        // What was not begun never is.
        const auto never = [](async::Waiting&) -> std::string { throw std::logic_error("it was begun"); };
        CHECK(error_of(io, pool, never, patience(50ms)).code() == base::ErrorCode::timed_out);
        CHECK(pool.left() == 1);
    }
    // The reactor may be gone by now.
    gate->open();
    pool.join();
    CHECK(pool.left() == 0);
    CHECK(*was_left);
    CHECK(pool.completed() == 2);
}

TEST_CASE("a stop leaves work that hangs, with its reason; what ends soon enough is not left") {
    pgbakd::asio::io_context io;
    async::Pool pool(2, 0);
    for (const bool hangs : {false, true}) {
        auto gate = std::make_shared<Gate>();
        async::StopSource source;
        std::thread stopper([&] {
            gate->wait_reached();
            pgbakd::asio::post(io, [&] {
                source.stop({base::ErrorCode::cancelled, "enough"});
                if (!hangs) gate->open();
            });
        });
        const auto work = [gate](async::Waiting&) {
            gate->wait();
            return std::string("done");
        };
        std::string result;
        if (hangs) {
            CHECK(error_of(io, pool, work, patience(1h, 20ms, source.token())).message() == "enough");
            CHECK(pool.left() == 1);
        } else {
            support::run(io, leave(pool, work, patience(1h, 1h, source.token()), result));
            CHECK(result == "done");
            CHECK(pool.left() == 0);
        }
        stopper.join();
        gate->open();
    }
    async::StopSource source;
    source.stop({base::ErrorCode::cancelled, "before"});
    const auto never = [](async::Waiting&) -> std::string { throw std::logic_error("it was begun"); };
    CHECK(error_of(io, pool, never, patience(1h, 1h, source.token())).message() == "before");
}

TEST_CASE("work that makes steps is not left, however long it takes") {
    pgbakd::asio::io_context io;
    async::Pool pool(1, 0);
    const auto steps = [](async::Waiting& waiting) {
        const auto until = std::chrono::steady_clock::now() + 600ms;
        while (std::chrono::steady_clock::now() < until) {
            waiting.step();
            std::this_thread::yield();
        }
        return std::string("done");
    };
    std::string result;
    support::run(io, leave(pool, steps, patience(400ms), result));
    CHECK(result == "done");
}
