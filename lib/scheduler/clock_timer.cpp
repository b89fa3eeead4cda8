// The kernel's timer: timerfd_create(2).
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/error.hpp"
#include "os/descriptor.hpp"
#include "scheduler/timer_source.hpp"

namespace pgbakd::scheduler {
namespace {

class ClockTimer final : public TimerSource {
  public:
    ClockTimer(const asio::any_io_executor& executor, os::Descriptor timer) : timer_(executor, timer.get()) {
        static_cast<void>(timer.release());
    }

    void arm(std::optional<base::Instant> at) override {
        // A disarmed timer is not told of a set clock, so "never" is a time: the year 9999. 0 would disarm too.
        constexpr std::int64_t first = 1, never = 253'402'300'799;
        const auto seconds = at ? std::clamp<std::int64_t>(at->time_since_epoch().count(), first, never) : never;
        itimerspec setting{};
        setting.it_value.tv_sec = static_cast<time_t>(seconds);
        if (::timerfd_settime(timer_.native_handle(), TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &setting, nullptr) ==
            0)
            return;
        if (errno != ECANCELED) throw base::error_from_errno(errno, "arming the timer of the schedules");
        // The clock was set since the last look. The timer is armed all the same, but this answer was the only notice.
        clock_was_set_ = true;
        timer_.cancel();
    }

    void interrupt() override {
        interrupted_ = true;
        timer_.cancel();
    }

    asio::awaitable<Wake> wait(async::StopToken stop) override {
        const auto registration = stop.on_stop([this] { timer_.cancel(); });
        for (;;) {
            stop.check();
            if (std::exchange(clock_was_set_, false)) co_return Wake::clock_set;
            std::uint64_t expirations = 0;
            const auto length = ::read(timer_.native_handle(), &expirations, sizeof expirations);
            const int failure = length < 0 ? errno : 0;
            if (failure == 0) co_return Wake::expired;
            if (failure == ECANCELED) co_return Wake::clock_set;
            if (failure != EAGAIN && failure != EINTR)
                throw base::error_from_errno(failure, "reading the timer of the schedules");
            if (std::exchange(interrupted_, false)) co_return Wake::interrupted;
            boost::system::error_code ignored;
            co_await timer_.async_wait(asio::posix::stream_descriptor::wait_read,
                                       asio::redirect_error(asio::use_awaitable, ignored));
        }
    }

  private:
    asio::posix::stream_descriptor timer_;
    bool clock_was_set_ = false;
    bool interrupted_ = false;
};

}  // namespace

std::unique_ptr<TimerSource> make_clock_timer(const asio::any_io_executor& executor) {
    os::Descriptor timer(::timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK));
    if (!timer) throw base::error_from_errno(errno, "creating the timer of the schedules");
    return std::make_unique<ClockTimer>(executor, std::move(timer));
}

}  // namespace pgbakd::scheduler
