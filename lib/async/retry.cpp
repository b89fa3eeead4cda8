#include "async/retry.hpp"

#include <algorithm>

namespace pgbakd::async {

Backoff::Backoff(int attempts, std::chrono::milliseconds first, std::chrono::milliseconds most) noexcept
    : attempts_(attempts), ceiling_(std::min(first, most)), most_(most) {}

std::optional<std::chrono::milliseconds> Backoff::after(const base::Error& error, std::uint64_t random) {
    if (!error.is_passing() || attempt_ >= attempts_) return std::nullopt;
    ++attempt_;
    const auto range = static_cast<std::uint64_t>(std::max<std::int64_t>(1, ceiling_.count()));
    ceiling_ = std::min(ceiling_ * 2, most_);
    return std::chrono::milliseconds(static_cast<std::int64_t>(1 + random % range));
}

}  // namespace pgbakd::async
