#include "scheduler/jitter.hpp"

#include <cstdint>

namespace pgbakd::scheduler {
namespace {

// http://www.isthe.com/chongo/tech/comp/fnv/
constexpr std::uint64_t fnv_start = 0xcbf29ce484222325U;
constexpr std::uint64_t fnv_prime = 0x100000001b3U;

std::uint64_t fnv(std::uint64_t hash, std::string_view text) noexcept {
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * fnv_prime;
    return hash;
}

// FNV's bits are poorly mixed for short texts that differ in their last letter ("db1", "db2"), which is what hosts of a
// fleet are called. https://prng.di.unimi.it/splitmix64.c
std::uint64_t mix(std::uint64_t hash) noexcept {
    hash = (hash ^ (hash >> 30U)) * 0xbf58476d1ce4e5b9U;
    hash = (hash ^ (hash >> 27U)) * 0x94d049bb133111ebU;
    return hash ^ (hash >> 31U);
}

}  // namespace

std::chrono::seconds jitter_offset(std::string_view host, std::string_view job, std::chrono::milliseconds jitter) {
    // Rounded up, so that a jitter of 1500 ms may give one second, and less than a second none.
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(jitter).count();
    if (seconds <= 0) return std::chrono::seconds{0};
    // A byte that no name holds keeps ("a", "bc") and ("ab", "c") apart.
    const auto hash = mix(fnv(fnv(fnv(fnv_start, host), std::string_view("\0", 1)), job));
    return std::chrono::seconds(static_cast<std::int64_t>(hash % static_cast<std::uint64_t>(seconds)));
}

}  // namespace pgbakd::scheduler
