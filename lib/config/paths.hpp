// How directories of a configuration lie to each other, by their names alone: nothing is looked up.
#pragma once

#include <algorithm>
#include <filesystem>

namespace pgbakd::config {

// Whether `inner` is `outer` or lies in it.
[[nodiscard]] inline bool is_within(const std::filesystem::path& inner, const std::filesystem::path& outer) {
    return std::mismatch(outer.begin(), outer.end(), inner.begin(), inner.end()).first == outer.end();
}

}  // namespace pgbakd::config
