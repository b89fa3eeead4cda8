// The timer that all jobs share, behind a seam: the kernel's, or a test's.
#pragma once

#include <memory>
#include <optional>

#include "async/asio.hpp"
#include "async/stop.hpp"
#include "base/clock.hpp"

namespace pgbakd::scheduler {

enum class Wake {
    expired,      // the armed time came
    clock_set,    // the wall clock was set, or the machine was suspended
    interrupted,  // interrupt() was called
};

class TimerSource {
  public:
    TimerSource() = default;
    TimerSource(const TimerSource&) = delete;
    TimerSource& operator=(const TimerSource&) = delete;
    virtual ~TimerSource() = default;
    // Replaces what was armed before. Nothing: only a set clock or interrupt() wakes. A time that is past expires at
    // once.
    virtual void arm(std::optional<base::Instant> at) = 0;
    // Makes wait() return, or the next one if nobody waits now.
    virtual void interrupt() = 0;
    // One waiter at a time; throws the token's reason when stopped.
    virtual asio::awaitable<Wake> wait(async::StopToken stop) = 0;
};

// timerfd(CLOCK_REALTIME) with TFD_TIMER_ABSTIME and TFD_TIMER_CANCEL_ON_SET. Throws base::Error when the kernel has
// none to give.
[[nodiscard]] std::unique_ptr<TimerSource> make_clock_timer(const asio::any_io_executor& executor);

}  // namespace pgbakd::scheduler
