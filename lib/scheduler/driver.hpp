// Wakes the Planner when it is time. Owns the timer, no policy: what the planner wants done goes to `act`.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "async/asio.hpp"
#include "async/stop.hpp"
#include "base/clock.hpp"
#include "scheduler/actions.hpp"
#include "scheduler/planner.hpp"
#include "scheduler/timer_source.hpp"

namespace pgbakd::scheduler {

class Driver {
  public:
    using Act = std::function<void(std::vector<Action>)>;
    // The clock and the planner outlive the driver. `act` is called on the reactor, never with nothing to do, and may
    // call the planner and rearm().
    Driver(std::unique_ptr<TimerSource> timer, const base::Clock& clock, Planner& planner, Act act);

    // Until stopped; then throws the token's reason. Once at a time.
    asio::awaitable<void> run(async::StopToken stop);
    // The plan changed by another way than through run() (load, on_finished, pause, …): look at it again. Harmless when
    // it did not; the watchdog calls it to see ticks() move.
    void rearm();
    // How often run() went round: it moves while the reactor serves the planner.
    [[nodiscard]] std::uint64_t ticks() const noexcept { return ticks_; }

  private:
    std::unique_ptr<TimerSource> timer_;
    const base::Clock& clock_;
    Planner& planner_;
    Act act_;
    std::uint64_t ticks_ = 0;
};

}  // namespace pgbakd::scheduler
