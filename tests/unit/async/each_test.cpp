#include "async/each.hpp"

#include "async/event.hpp"
#include "support.hpp"
#include "support/catch.hpp"

namespace async = pgbakd::async;
namespace base = pgbakd::base;
using pgbakd::asio::awaitable;

namespace {

// Things that each wait until all that may go on at a time do, or nothing else is left to begin.
struct Many {
    explicit Many(pgbakd::asio::io_context& io) : changed(io.get_executor()) {}
    async::Event changed;
    std::vector<std::size_t> begun;
    std::size_t going = 0, most = 0;

    awaitable<void> one(std::size_t number, std::size_t count, std::size_t at_once) {
        begun.push_back(number);
        most = std::max(most, ++going);
        changed.notify();
        while (going < at_once && begun.size() < count) co_await changed.wait();
        --going;
        changed.notify();
    }
};

awaitable<void> fail_at(std::vector<std::size_t>& begun, std::size_t number, std::size_t bad) {
    begun.push_back(number);
    if (number == bad) throw base::Error(base::ErrorCode::io_failed, "number " + std::to_string(number));
    co_return;
}

}  // namespace

TEST_CASE("many are done in order, as many at a time as they may be") {
    struct Row {
        std::size_t count, at_once, most;
    };
    for (const auto& row : {Row{0, 4, 0}, Row{1, 4, 1}, Row{9, 1, 1}, Row{9, 4, 4}, Row{3, 8, 3}, Row{2, 0, 1}}) {
        pgbakd::asio::io_context io;
        Many many(io);
        const std::function<awaitable<void>(std::size_t)> one = [&](std::size_t i) {
            return many.one(i, row.count, row.most);
        };
        support::run(io, async::for_each(row.count, row.at_once, one));
        CAPTURE(row.count, row.at_once);
        CHECK(many.most == row.most);
        CHECK(many.begun.size() == row.count);
        CHECK(std::is_sorted(many.begun.begin(), many.begun.end()));
    }
}

TEST_CASE("after one that failed no further ones are begun, and its error is told") {
    pgbakd::asio::io_context io;
    std::vector<std::size_t> begun;
    const std::function<awaitable<void>(std::size_t)> one = [&](std::size_t i) { return fail_at(begun, i, 2); };
    CHECK_THROWS_WITH(support::run(io, async::for_each(9, 1, one)), "number 2");
    CHECK(begun == std::vector<std::size_t>{0, 1, 2});
    begun.clear();
    CHECK_THROWS_WITH(support::run(io, async::for_each(3, 3, one)), "number 2");
    CHECK(begun.size() == 3);
}
