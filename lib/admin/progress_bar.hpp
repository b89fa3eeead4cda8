// A line that shows how far something is, drawn over itself on a terminal once two seconds have passed.
#pragma once

#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>

#include "admin/context.hpp"

namespace pgbakd::admin {

struct ProgressState {
    std::string what;                     // "shop-daily: dump, shop"
    std::uint64_t done = 0;               // bytes
    std::uint64_t total = 0;              // 0: not known, then no bar and no per cent
    std::uint64_t rate = 0;               // bytes per second; 0: not known
    std::chrono::milliseconds elapsed{};  // for what has no bytes yet
};
// At most `columns` wide: "verifying shop/latest [=====>    ] 52 %  1.2 GiB of 2.3 GiB  310 MiB/s".
[[nodiscard]] std::string progress_line(const ProgressState& state, std::size_t columns);

class ProgressBar {
  public:
    static constexpr std::chrono::seconds patience{2};
    static constexpr std::chrono::milliseconds pace{100};

    explicit ProgressBar(Context& context);
    ProgressBar(const ProgressBar&) = delete;
    ProgressBar& operator=(const ProgressBar&) = delete;
    // Clears its line.
    ~ProgressBar();

    void show(const ProgressState& state);
    // Since it was made.
    [[nodiscard]] std::chrono::milliseconds elapsed() const;

  private:
    Context& context_;
    base::SteadyTime began_;
    base::SteadyTime drawn_at_{};
    bool drawn_ = false;
};

}  // namespace pgbakd::admin
