// Sizes, durations and rates as people write and read them.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace pgbakd::base {

// "10 MiB", "1 GB", "512KiB", "42" (bytes): kB/MB/GB/TB are powers of 1000, KiB/MiB/GiB/TiB of 1024 (also K, M, G, T).
// A decimal fraction is allowed ("1.5 GiB"). Fails on anything else and above 2^63-1.
[[nodiscard]] Result<std::uint64_t> parse_size(std::string_view text);

// "0 B", "420 KiB", "12.4 MiB": powers of 1024, three significant digits.
[[nodiscard]] std::string format_size(std::uint64_t bytes);

// "90s", "15m", "12h", "30 days", "2 weeks", "1h 30m", "500ms". Fails on anything else, on a negative value and above
// 100 years.
[[nodiscard]] Result<std::chrono::milliseconds> parse_duration(std::string_view text);

// "350 ms", "4.1 s", "12 min 5 s", "26 h", "3 d 4 h": at most two units.
[[nodiscard]] std::string format_duration(std::chrono::milliseconds duration);

// The shortest exact text that parse_duration reads back: "90s", "26h", "30 days".
[[nodiscard]] std::string canonical_duration(std::chrono::milliseconds duration);

}  // namespace pgbakd::base
