// A clock that is wrong.
#pragma once

#include "base/clock.hpp"

namespace contract {

class WrongClock final : public pgbakd::base::Clock {
  public:
    explicit WrongClock(std::chrono::minutes by) : by_(by) {}
    [[nodiscard]] pgbakd::base::Timestamp now() const noexcept override { return right_.now() + by_; }
    [[nodiscard]] pgbakd::base::SteadyTime steady() const noexcept override { return right_.steady(); }

  private:
    pgbakd::base::SystemClock right_;
    std::chrono::minutes by_;
};

}  // namespace contract
