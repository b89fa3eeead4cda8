#include "async/task_group.hpp"

#include <cassert>
#include <utility>

namespace pgbakd::async {

TaskGroup::TaskGroup(const asio::any_io_executor& executor) : executor_(executor), ended_(executor) {}

TaskGroup::~TaskGroup() {
    assert(running_ == 0 && "a task group must be joined before it is destroyed");
}

void TaskGroup::spawn(asio::awaitable<void> task, std::function<void(const std::exception_ptr&)> on_failure) {
    ++running_;
    asio::co_spawn(executor_, std::move(task),
                   [this, on_failure = std::move(on_failure)](const std::exception_ptr& failure) {
                       if (failure && !first_failure_) first_failure_ = failure;
                       if (failure && on_failure) on_failure(failure);
                       --running_;
                       ended_.notify();
                   });
}

asio::awaitable<void> TaskGroup::join() {
    while (running_ > 0) co_await ended_.wait();
    if (first_failure_) std::rethrow_exception(std::exchange(first_failure_, nullptr));
}

asio::awaitable<void> TaskGroup::settle() {
    while (running_ > 0) co_await ended_.wait();
    first_failure_ = nullptr;
}

}  // namespace pgbakd::async
