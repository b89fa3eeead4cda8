// Waiting for time to pass, and deadlines.
#pragma once

#include <chrono>
#include <string>

#include "async/asio.hpp"
#include "async/event.hpp"
#include "async/stop.hpp"

namespace pgbakd::async {

// Until `duration` has passed, or throws the token's reason.
asio::awaitable<void> sleep_for(std::chrono::milliseconds duration, StopToken stop);
// Until the next notify() of the event or for `at_most`, whichever comes first, or throws the token's reason. A
// millisecond at least: a moment that is past does not make a loop of waits spin.
asio::awaitable<void> wait_at_most(Event& event, std::chrono::nanoseconds at_most, StopToken stop);

// A stop source that stops by itself when `duration` has passed, with ErrorCode::timed_out and
// "<what> took longer than <duration>". A duration of zero or less means: no deadline.
class Deadline {
  public:
    Deadline(const asio::any_io_executor& executor, const StopToken& parent, std::chrono::milliseconds duration,
             std::string what);
    Deadline(Deadline&&) = delete;
    Deadline& operator=(Deadline&&) = delete;
    ~Deadline();
    [[nodiscard]] StopToken token() const { return source_->token(); }
    void stop(base::Error reason) { source_->stop(std::move(reason)); }

  private:
    std::shared_ptr<StopSource> source_;
    asio::steady_timer timer_;
};

}  // namespace pgbakd::async
