// The TZif file format (RFC 8536), read into a list of transitions. Bounds-checked: the file is an outsider's.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "calendar/posix_rule.hpp"

namespace pgbakd::calendar {

struct TzifTransition {
    base::Instant at;
    std::size_t type = 0;  // index into Tzif::types
};

struct TzifType {
    std::chrono::seconds offset{};
    std::string abbreviation;
};

struct Tzif {
    std::vector<TzifTransition> transitions;  // ascending
    std::vector<TzifType> types;              // at least one; the first is in force before the first transition
    std::optional<PosixRule> footer;          // absent: the last type stays in force
};

// Errors: corrupt; unsupported for version 1 (no footer: wrong after 2037) and for files that count leap seconds.
[[nodiscard]] base::Result<Tzif> read_tzif(std::span<const std::byte> file);

}  // namespace pgbakd::calendar
