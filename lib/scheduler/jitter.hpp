// The delay that spreads a fleet out: the same for a host and a job, every time.
#pragma once

#include <chrono>
#include <string_view>

namespace pgbakd::scheduler {

// hash(host, job) mod jitter, in whole seconds: at least 0, less than `jitter`. The hash (64-bit FNV-1a, then the
// finisher of SplitMix64) is part of the contract: a job keeps its minute over upgrades.
[[nodiscard]] std::chrono::seconds jitter_offset(std::string_view host, std::string_view job,
                                                 std::chrono::milliseconds jitter);

}  // namespace pgbakd::scheduler
