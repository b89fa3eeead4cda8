// Time as a parameter: what needs to know the time is handed a Clock, and a test hands it another.
#pragma once

#include <chrono>
#include <cstdint>

namespace pgbakd::base {

// A fire, a slot: whole seconds of UTC, signed 64 bits.
using Instant = std::chrono::sys_time<std::chrono::duration<std::int64_t>>;
// A point in a run's story: milliseconds of UTC.
using Timestamp = std::chrono::sys_time<std::chrono::milliseconds>;
// Never steps; for durations and deadlines.
using SteadyTime = std::chrono::steady_clock::time_point;

[[nodiscard]] constexpr Instant to_instant(Timestamp time) noexcept {
    return std::chrono::floor<Instant::duration>(time);
}

class Clock {
  public:
    Clock() = default;
    Clock(const Clock&) = delete;
    Clock& operator=(const Clock&) = delete;
    virtual ~Clock() = default;
    [[nodiscard]] virtual Timestamp now() const noexcept = 0;
    [[nodiscard]] virtual SteadyTime steady() const noexcept = 0;
};

class SystemClock final : public Clock {
  public:
    [[nodiscard]] Timestamp now() const noexcept override {
        return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
    }
    [[nodiscard]] SteadyTime steady() const noexcept override { return std::chrono::steady_clock::now(); }
};

// A clock that stands still until it is told to move.
class ManualClock final : public Clock {
  public:
    explicit ManualClock(Timestamp start) : now_(start) {}
    [[nodiscard]] Timestamp now() const noexcept override { return now_; }
    [[nodiscard]] SteadyTime steady() const noexcept override { return steady_; }
    void advance(std::chrono::milliseconds by) {
        now_ += by;
        steady_ += by;
    }
    // A step of the wall clock: the steady clock does not notice.
    void step_to(Timestamp now) { now_ = now; }

  private:
    Timestamp now_;
    SteadyTime steady_{};
};

}  // namespace pgbakd::base
