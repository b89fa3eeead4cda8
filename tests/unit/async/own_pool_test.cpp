#include "async/own_pool.hpp"

#include <future>

#include "support/catch.hpp"

using namespace pgbakd;

TEST_CASE("a pool of one's own is let go of while its thread hangs, and ends when that does") {
    std::promise<void> let_go;
    std::promise<void> begun;
    auto pool = async::own_pool(1, 0);
    pool->run([&, gone = let_go.get_future().share()] {
        begun.set_value();
        gone.wait();
    });
    begun.get_future().wait();
    pool.reset();
    CHECK_FALSE(async::wait_for_ends_aside(std::chrono::milliseconds(1)));
    let_go.set_value();
    CHECK(async::wait_for_ends_aside(std::chrono::seconds(60)));
    CHECK(async::wait_for_ends_aside(std::chrono::milliseconds(0)));
}
