// The mark of a set that was found corrupt, as text: the file `corrupt` in the set's directory.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "repository/repository.hpp"

namespace pgbakd::repository {

inline constexpr std::size_t largest_corruption = std::size_t{64} << 10U;

// One line of JSON, at most largest_corruption bytes.
[[nodiscard]] std::string corruption_text(const Corruption& corruption);
// What it says. Text that is none is a mark all the same: that nobody knows any more what was found makes no good set.
[[nodiscard]] Corruption parse_corruption(std::string_view text);
// Nothing if there is no such file. One that cannot be read or parsed says so, and is a mark all the same: that nobody
// knows any more what was found makes no good set of it. Throws where it cannot be told whether there is one.
[[nodiscard]] std::optional<Corruption> read_corruption(const std::filesystem::path& mark);

}  // namespace pgbakd::repository
