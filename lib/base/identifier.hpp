// Identifiers of runs: sortable by time, unique without coordination.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace pgbakd::base {

// A run's id: a ULID (48 bits of milliseconds, 80 random bits, 26 characters of Crockford's base 32;
// https://github.com/ulid/spec).
class RunId {
  public:
    RunId() = default;
    [[nodiscard]] static RunId make(Timestamp now, const std::array<std::byte, 10>& random);
    // Fails on anything but 26 characters of that alphabet.
    [[nodiscard]] static Result<RunId> parse(std::string_view text);

    [[nodiscard]] const std::string& text() const noexcept { return text_; }
    [[nodiscard]] bool empty() const noexcept { return text_.empty(); }
    friend auto operator<=>(const RunId&, const RunId&) = default;

  private:
    explicit RunId(std::string text) : text_(std::move(text)) {}
    std::string text_;
};

}  // namespace pgbakd::base
