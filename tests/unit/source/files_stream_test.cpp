// Files as a stream: read to the end, given up at any byte, and from a disk that hangs.
#include "source/files_stream.hpp"

#include <future>
#include <optional>

#include "async/timer.hpp"
#include "files_support.hpp"
#include "support/wait_for.hpp"

using namespace pgbakd;
using namespace pgbakd::source;
using namespace pgbakd::source::testing;

namespace {

void run(asio::awaitable<void> task) {
    asio::io_context io;
    std::exception_ptr failure;
    asio::co_spawn(io, std::move(task), [&failure](const std::exception_ptr& thrown) { failure = thrown; });
    io.run();
    if (failure) std::rethrow_exception(failure);
}

std::size_t open_descriptors() {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator()));
}

support::TemporaryDirectory& make(support::TemporaryDirectory& directory) {
    auto path = directory.path();
    for (int level = 0; level < 5; ++level) {
        for (const char* name : {"a", "b", "c"}) write_file(path / name, std::string(200'000, 'x'));
        path /= "d";
        fs::create_directory(path);
    }
    return directory;
}

asio::awaitable<void> read_all(Stream& stream, std::size_t size, Bytes& all) {
    co_await stream.begun({});
    Bytes buffer(size);
    for (;;) {
        const auto count = co_await stream.read(buffer, {});
        if (count == 0) break;
        all.insert(all.end(), buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(count));
    }
    co_await stream.finish({});
}

asio::awaitable<void> read_some(Stream& stream, int reads) {
    Bytes buffer(10'000);
    for (int i = 0; i < reads; ++i) (void)co_await stream.read(buffer, {});
    co_await stream.abort();
}

asio::awaitable<void> read_until(Stream& stream, async::StopToken stop, std::optional<base::Error>& failure) {
    Bytes buffer(10'000);
    try {
        for (;;) (void)co_await stream.read(buffer, stop);
    } catch (const base::Error& error) {
        failure = error;
    }
    co_await stream.abort();
}

asio::awaitable<void> stop_when(std::shared_future<void> reached, async::Pool& pool, async::StopSource& stop) {
    const auto wait = [reached] { reached.wait(); };
    co_await async::run_blocking(pool, wait);
    stop.stop(base::Error(base::ErrorCode::cancelled, "enough"));
}

// A reader that hangs at the first file until it is let go.
struct Hanging {
    std::promise<void> reached;
    std::promise<void> let_go;
    std::shared_future<void> gone = let_go.get_future().share();
    std::atomic<bool> first{true};
    FilesHooks hooks() {
        FilesHooks made;
        made.announced = [this](const std::string&) {
            if (!first.exchange(false)) return;
            reached.set_value();
            gone.wait();
        };
        return made;
    }
};

}  // namespace

TEST_CASE("a stream of files is what the reader makes, in pieces of any size") {
    support::TemporaryDirectory from;
    const auto options = options_for({make(from).path()});
    const auto expected = store(options).tar;
    for (const std::size_t size : {std::size_t{1} << 20U, std::size_t{1'000}, std::size_t{65'537}}) {
        async::Pool pool(2, 0);
        FilesStream stream(pool, options);
        Bytes all;
        run(read_all(stream, size, all));
        CHECK(all == expected);
        CHECK(stream.remarks().empty());
        CHECK(stream.report().members() == 21);
    }
}

TEST_CASE("a stream of files tells its remarks, and fails only where nothing could be stored") {
    support::TemporaryDirectory from;
    write_file(from / "a", "x");
    async::Pool pool(1, 0);
    FilesStream some(pool, options_for({from / "a", from / "gone"}));
    Bytes all;
    run(read_all(some, 1'000, all));
    CHECK(some.remarks() == Lines{(from / "gone").native() + ": does not exist"});
    CHECK(some.report().verdict() == FilesReport::Verdict::incomplete);
    FilesStream none(pool, options_for({from / "gone"}));
    CHECK_THROWS_WITH(run(read_all(none, 1'000, all)),
                      "nothing could be stored: " + (from / "gone").native() + ": does not exist");
}

TEST_CASE("a stream of files that is given up leaves nothing open") {
    support::TemporaryDirectory from;
    const auto options = options_for({make(from).path()});
    async::Pool pool(2, 0);
    // The tar takes some 300 of these reads.
    for (const int reads : {0, 1, 2, 5, 26, 27, 28, 60, 150, 299, 300, 1'000}) {
        INFO(reads);
        const auto before = open_descriptors();
        {
            FilesStream stream(pool, options);
            run(read_some(stream, reads));
            CHECK(open_descriptors() == before);
        }
        CHECK(pool.left() == 0);
    }
}

TEST_CASE("a stop is told with its reason, while the reader is at work") {
    support::TemporaryDirectory from;
    async::Pool pool(2, 0);
    Hanging hanging;
    const auto before = open_descriptors();
    FilesStream stream(pool, options_for({make(from).path()}), hanging.hooks());
    async::StopSource stop;
    std::optional<base::Error> failure;
    {
        asio::io_context io;
        const auto ended = [](const std::exception_ptr& thrown) { CHECK(!thrown); };
        asio::co_spawn(io, read_until(stream, stop.token(), failure), ended);
        asio::co_spawn(io, stop_when(hanging.reached.get_future().share(), pool, stop), ended);
        // It hangs for as long as nobody lets it go, and nobody does before the stream was given up.
        io.run();
    }
    REQUIRE(failure);
    CHECK(failure->message() == "enough");
    CHECK(pool.left() == 1);
    hanging.let_go.set_value();
    // Then it ends by itself, and closes what it had open.
    CHECK(support::wait_for([&] { return pool.left() == 0 && open_descriptors() <= before; }));
}
