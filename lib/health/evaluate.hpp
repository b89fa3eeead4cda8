// What is wrong now. Pure.
#pragma once

#include <vector>

#include "health/inputs.hpp"

namespace pgbakd::health {

// Findings that hold: key, severity, set, message and hint; their times are reconcile()'s. What could not be looked at,
// or was not meant to be, is as it was: such a finding among `inputs.open` comes back as it is, and so does not close.
// No two have one key.
[[nodiscard]] std::vector<model::Finding> evaluate(const Inputs& inputs);

// When the same inputs would give another answer, by time alone, if nothing else happens before: a set becomes too old.
// After `inputs.now`; nothing if none would.
[[nodiscard]] std::optional<base::Timestamp> next_change(const Inputs& inputs);

}  // namespace pgbakd::health
