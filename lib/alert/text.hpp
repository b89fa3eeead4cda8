// Text for people, within the limits of others. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace pgbakd::alert {

// Without blank at its ends; valid UTF-8, without control characters other than line ends (each "\n"), as
// base::printable() makes lines.
[[nodiscard]] std::string tidy(std::string_view text);

// Units of UTF-16, the larger of what services may count as characters. `text` is valid UTF-8.
[[nodiscard]] std::size_t units(std::string_view text) noexcept;

// Tidy text in which nothing is markup for Discord: no markdown, no mention, no masked or automatic link, no emoji. At
// most `limit` units, never cut inside a character or between one and its escape; "…" (one unit) marks a cut.
[[nodiscard]] std::string escaped_for_discord(std::string_view text, std::size_t limit);

}  // namespace pgbakd::alert
