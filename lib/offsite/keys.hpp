// The names of a set's objects on a target: <job>/<set>/<file>, as in the repository.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "model/names.hpp"
#include "repository/names.hpp"

namespace pgbakd::offsite {

// The objects by which a set is pinned there, and by which it is known to be corrupt: the repository's, who wrote them
// tells nothing else by the first, and what was found by the second (repository/corruption.hpp).
inline constexpr std::string_view pin_file = repository::pinned_name;
inline constexpr std::string_view corrupt_file = repository::corrupt_name;

struct ObjectName {
    model::SetId id;
    std::string file;
};

[[nodiscard]] std::string key_of(const model::SetId& id, std::string_view file);
// What the keys of all sets of a job begin with; of one set.
[[nodiscard]] std::string prefix_of(std::string_view job);
[[nodiscard]] std::string prefix_of(const model::SetId& id);
// Nothing for a key that is no object of a set: somebody else's, or a probe.
[[nodiscard]] std::optional<ObjectName> parse_key(std::string_view key);

}  // namespace pgbakd::offsite
