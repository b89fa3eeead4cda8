#include "scheduler/driver.hpp"

namespace pgbakd::scheduler {

Driver::Driver(std::unique_ptr<TimerSource> timer, const base::Clock& clock, Planner& planner, Act act)
    : timer_(std::move(timer)), clock_(clock), planner_(planner), act_(std::move(act)) {}

asio::awaitable<void> Driver::run(async::StopToken stop) {
    // The first look: the clock may have been set since the planner was loaded, when no timer was armed to notice it.
    auto wake = Wake::interrupted;
    for (;;) {
        stop.check();
        const auto now = base::to_instant(clock_.now());
        auto actions = wake == Wake::clock_set ? planner_.on_clock_step(now) : planner_.on_time(now);
        if (!actions.empty()) act_(std::move(actions));
        timer_->arm(planner_.next_wake());
        ++ticks_;
        wake = co_await timer_->wait(stop);
    }
}

void Driver::rearm() {
    timer_->interrupt();
}

}  // namespace pgbakd::scheduler
