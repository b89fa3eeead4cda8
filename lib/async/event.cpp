#include "async/event.hpp"

namespace pgbakd::async {

Event::Event(const asio::any_io_executor& executor) : timer_(executor, asio::steady_timer::time_point::max()) {}

void Event::notify() {
    timer_.cancel();
}

asio::awaitable<void> Event::wait(StopToken stop) {
    stop.check();
    const auto registration = stop.on_stop([this] { timer_.cancel(); });
    co_await wait();
    stop.check();
}

asio::awaitable<void> Event::wait() {
    boost::system::error_code ignored;
    co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

}  // namespace pgbakd::async
