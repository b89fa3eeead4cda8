// Coroutines that belong together: spawned into a group, joined before the group ends.
#pragma once

#include <cstddef>
#include <exception>
#include <functional>

#include "async/asio.hpp"
#include "async/event.hpp"

namespace pgbakd::async {

class TaskGroup {
  public:
    explicit TaskGroup(const asio::any_io_executor& executor);
    TaskGroup(const TaskGroup&) = delete;
    TaskGroup& operator=(const TaskGroup&) = delete;
    // A group with running tasks must not be destroyed: join() first. Asserted.
    ~TaskGroup();

    // Starts a task. `on_failure` (may be empty) is called at once with what it threw, on the reactor.
    void spawn(asio::awaitable<void> task, std::function<void(const std::exception_ptr&)> on_failure = {});
    [[nodiscard]] std::size_t running() const noexcept { return running_; }

    // Waits until no task runs (tasks spawned meanwhile included), then rethrows the first failure, if any.
    asio::awaitable<void> join();
    // The same, whatever the tasks threw: for an end, where each has told its failure itself or was stopped.
    asio::awaitable<void> settle();

  private:
    asio::any_io_executor executor_;
    Event ended_;
    std::size_t running_ = 0;
    std::exception_ptr first_failure_;
};

}  // namespace pgbakd::async
