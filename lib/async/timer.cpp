#include "async/timer.hpp"

#include <algorithm>
#include <utility>

#include "base/units.hpp"

namespace pgbakd::async {

asio::awaitable<void> sleep_for(std::chrono::milliseconds duration, StopToken stop) {
    stop.check();
    asio::steady_timer timer(co_await asio::this_coro::executor, duration);
    const auto registration = stop.on_stop([&timer] { timer.cancel(); });
    boost::system::error_code ignored;
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    stop.check();
}

asio::awaitable<void> wait_at_most(Event& event, std::chrono::nanoseconds at_most, StopToken stop) {
    const auto pause = std::max(std::chrono::ceil<std::chrono::milliseconds>(at_most), std::chrono::milliseconds(1));
    const Deadline soon(co_await asio::this_coro::executor, stop, pause, "the pause");
    auto until = soon.token();
    try {
        co_await event.wait(std::move(until));
    } catch (const base::Error&) {
        stop.check();
    }
}

Deadline::Deadline(const asio::any_io_executor& executor, const StopToken& parent, std::chrono::milliseconds duration,
                   std::string what)
    : source_(std::make_shared<StopSource>(parent)), timer_(executor) {
    if (duration <= std::chrono::milliseconds::zero()) return;
    timer_.expires_after(duration);
    timer_.async_wait(
        [source = std::weak_ptr(source_), duration, what = std::move(what)](const boost::system::error_code& failure) {
            const auto alive = source.lock();
            if (failure || !alive) return;
            alive->stop({base::ErrorCode::timed_out,
                         what + " took longer than " + base::format_duration(duration),
                         {},
                         base::Persistence::passing});
        });
}

Deadline::~Deadline() {
    timer_.cancel();
}

}  // namespace pgbakd::async
