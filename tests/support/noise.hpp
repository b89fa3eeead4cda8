// Bytes of which each test gets the same.
#pragma once

#include <cstdint>
#include <string>

namespace pgbakd::testing {

// `size` bytes that no compression and no block boundary can hide a mistake in.
inline std::string noise(std::size_t size, std::uint32_t seed = 1) {
    std::string text(size, '\0');
    for (auto& c : text) {
        seed = seed * 1664525U + 1013904223U;
        c = static_cast<char>(seed >> 24U);
    }
    return text;
}

}  // namespace pgbakd::testing
