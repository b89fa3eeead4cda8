// A condition that coroutines of the reactor wait for.
#pragma once

#include "async/asio.hpp"
#include "async/stop.hpp"

namespace pgbakd::async {

class Event {
  public:
    explicit Event(const asio::any_io_executor& executor);
    // Wakes all who wait now. Whoever waits looks at its condition again, in a loop.
    void notify();
    // Until the next notify(), or throws the token's reason.
    asio::awaitable<void> wait(StopToken stop);
    // The same without a way to be stopped: only for joining, where the tasks themselves are stopped.
    asio::awaitable<void> wait();

  private:
    asio::steady_timer timer_;  // never expires; cancelling it wakes the waiters
};

}  // namespace pgbakd::async
