#include "target/tidying.hpp"

#include <utility>

namespace pgbakd::target {

TidyingDeadline::TidyingDeadline(const asio::any_io_executor& executor, const async::StopToken& stop,
                                 std::chrono::milliseconds patience, const std::string& what,
                                 std::chrono::milliseconds after_stop)
    : source_(std::make_shared<async::StopSource>()), timer_(executor), what_(what) {
    expire_after(patience);
    registration_.emplace(stop.on_stop([this, after_stop] {
        if (timer_.expiry() > asio::steady_timer::clock_type::now() + after_stop) expire_after(after_stop);
    }));
}

void TidyingDeadline::expire_after(std::chrono::milliseconds patience) {
    // A wait that was going on is cancelled, and then tells so.
    timer_.expires_after(patience);
    timer_.async_wait([source = std::weak_ptr(source_), what = what_](const boost::system::error_code& failure) {
        const auto alive = source.lock();
        if (!failure && alive)
            alive->stop({base::ErrorCode::timed_out, what + " took too long", {}, base::Persistence::passing});
    });
}

}  // namespace pgbakd::target
