// Names that refer to nothing.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/problems.hpp"

namespace pgbakd::config {

// "targets defined here: nas, r2", of many the first few.
[[nodiscard]] std::string list_names(std::string_view what, const std::vector<std::string>& names);
// Reports that `names` has no `what` of this name. `add`: what to write where none is defined at all.
void report_unknown_name(Problems& problems, const Node& node, std::string_view what, const std::string& name,
                         const std::vector<std::string>& names, const std::string& add);
// The same for each element of a list that is not among `names` (sorted).
void check_names_exist(Problems& problems, const Node& list, std::string_view what,
                       const std::vector<std::string>& names, const std::string& add);

}  // namespace pgbakd::config
