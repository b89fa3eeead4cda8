#include "run/feed.hpp"

#include "async/task_group.hpp"
#include "support/common.hpp"

using namespace pgbakd;
using namespace std::chrono_literals;
using base::ErrorCode;
using offsite::GrowingBuffer;

namespace {

constexpr std::size_t piece = GrowingBuffer::limit / 4;

async::Chunk chunk() {
    return std::make_shared<const std::vector<std::byte>>(piece);
}

// A dump for readers that take as much as they are told to.
struct Dump {
    explicit Dump(std::size_t readers) {
        for (std::size_t i = 0; i < readers; ++i) {
            buffers.push_back(std::make_shared<GrowingBuffer>(io.get_executor(), "a.dump", taken));
            left.emplace_back();
            buffers[i]->on_left_behind = [this, i](const base::Error& reason) { left[i] = reason.message(); };
        }
        feed = std::make_unique<run::BufferFeed>(clock, buffers, taken);
    }
    ~Dump() {
        stop.stop({ErrorCode::cancelled, "the test is over"});
        io.restart();
        io.run();
    }
    Dump(const Dump&) = delete;
    Dump& operator=(const Dump&) = delete;

    void start() {
        asio::co_spawn(io, write(), [this](const std::exception_ptr& thrown) {
            if (thrown) failure = base::to_error(thrown);
        });
        go_on();
    }
    asio::awaitable<void> write() {
        for (;;) {
            feed->push(chunk());
            ++written;
            co_await feed->wait_room(stop.token());
        }
    }
    void go_on() {
        io.restart();
        io.poll();
    }
    // So long passes, then that reader takes a piece.
    void take(std::size_t reader, std::chrono::seconds after = 0s) {
        clock.advance(after);
        bool done = false;
        asio::co_spawn(io, one_read(reader), [&done](const std::exception_ptr& thrown) { done = !thrown; });
        go_on();
        CHECK(done);
    }
    asio::awaitable<void> one_read(std::size_t reader) {
        auto& at = readings[reader];
        if (!at.first) at.first = co_await buffers[reader]->open(pool);
        const auto bytes = co_await at.first->read(at.second, piece);
        at.second += bytes->size();
    }

    asio::io_context io;
    async::Pool pool{1, 0};
    base::ManualClock clock{base::Timestamp(1s)};
    async::StopSource stop;
    std::shared_ptr<async::Event> taken = std::make_shared<async::Event>(io.get_executor());
    std::vector<std::shared_ptr<GrowingBuffer>> buffers;
    std::vector<std::string> left;
    std::unique_ptr<run::BufferFeed> feed;
    std::map<std::size_t, std::pair<std::unique_ptr<offsite::Reading>, std::uint64_t>> readings;
    std::size_t written = 0;
    std::optional<base::Error> failure;
};

}  // namespace

TEST_CASE("a dump waits for its slowest reader") {
    Dump dump(2);
    dump.start();
    CHECK(dump.written == 4);
    dump.take(0);
    CHECK(dump.written == 4);
    dump.take(1);
    CHECK(dump.written == 5);
    // However long all of them take.
    for (int i = 0; i < 10; ++i) {
        dump.take(0, 300s);
        dump.take(1);
    }
    CHECK(dump.written == 15);
    CHECK(dump.left == std::vector<std::string>{"", ""});
}

TEST_CASE("one that makes the others take more than twice as long, and a minute, is left behind") {
    Dump dump(3);
    dump.start();
    for (std::size_t reader : {0, 1, 2}) dump.take(reader);
    CHECK(dump.written == 5);
    dump.take(0);
    dump.take(1);
    // Two wait for the third.
    dump.take(0, 59s);
    CHECK(dump.left[2].empty());
    dump.take(1, 2s);
    CHECK(dump.left[2] == "it takes the dump less than half as fast as the others do");
    CHECK(dump.buffers[2]->is_given_up());
    CHECK_FALSE(dump.buffers[0]->is_given_up());
    CHECK(dump.written > 5);
    CHECK_FALSE(dump.failure);
}

TEST_CASE("one that is a little slower than the others sets the pace") {
    Dump dump(2);
    dump.start();
    for (int i = 0; i < 50; ++i) {
        dump.take(0, 10s);
        dump.take(1, 4s);  // for so long the first one waits
    }
    CHECK(dump.left == std::vector<std::string>{"", ""});
}

TEST_CASE("a dump that nobody takes any more ends") {
    Dump dump(2);
    dump.start();
    dump.buffers[0]->give_up();
    dump.go_on();
    CHECK_FALSE(dump.failure);
    dump.buffers[1]->give_up();
    dump.go_on();
    REQUIRE(dump.failure);
    CHECK(dump.failure->code() == ErrorCode::unreachable);
}

TEST_CASE("what ended a dump that nobody takes is told") {
    asio::io_context io;
    const base::ManualClock clock(base::Timestamp{});
    const auto taken = std::make_shared<async::Event>(io.get_executor());
    const auto why = [] { return base::Error(ErrorCode::no_space, "the share is full"); };
    run::BufferFeed feed(clock, {}, taken, why);
    std::string failure;
    asio::co_spawn(io, feed.wait_room({}),
                   [&failure](const std::exception_ptr& thrown) { failure = base::to_error(thrown).message(); });
    io.run();
    CHECK(failure == "the share is full");
}
