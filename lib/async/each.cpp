#include "async/each.hpp"

#include <algorithm>

#include "async/task_group.hpp"

namespace pgbakd::async {
namespace {

struct Work {
    std::size_t count;
    std::function<asio::awaitable<void>(std::size_t)> one;
    std::size_t next = 0;  // to be begun
};

asio::awaitable<void> work(Work& shared) {
    while (shared.next < shared.count) {
        const auto number = shared.next++;
        std::exception_ptr failure;
        try {
            co_await shared.one(number);
        } catch (...) {
            failure = std::current_exception();
        }
        if (!failure) continue;
        shared.next = shared.count;
        std::rethrow_exception(failure);
    }
}

}  // namespace

asio::awaitable<void> for_each(std::size_t count, std::size_t at_once,
                               std::function<asio::awaitable<void>(std::size_t)> one) {
    const auto executor = co_await asio::this_coro::executor;
    Work shared{count, std::move(one)};
    TaskGroup group(executor);
    const auto workers = std::min(count, std::max<std::size_t>(1, at_once));
    for (std::size_t i = 0; i < workers; ++i) group.spawn(work(shared));
    co_await group.join();
}

}  // namespace pgbakd::async
