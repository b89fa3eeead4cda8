// When to try again: exponential backoff with full jitter. A value; whoever tries does the waiting.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "base/error.hpp"

namespace pgbakd::async {

class Backoff {
  public:
    // `attempts` in all (1: no retry); the pause before attempt n+1 is random in (0, first × 2^(n-1)], at most `most`.
    Backoff(int attempts, std::chrono::milliseconds first,
            std::chrono::milliseconds most = std::chrono::minutes(30)) noexcept;

    // After attempt number attempt() failed with `error`: the pause before the next, or nothing if there is to be none
    // (a lasting cause, or no attempts left). `random` is any number.
    [[nodiscard]] std::optional<std::chrono::milliseconds> after(const base::Error& error, std::uint64_t random);
    [[nodiscard]] int attempt() const noexcept { return attempt_; }  // the present one, from 1

  private:
    int attempts_;
    int attempt_ = 1;
    std::chrono::milliseconds ceiling_;
    std::chrono::milliseconds most_;
};

}  // namespace pgbakd::async
