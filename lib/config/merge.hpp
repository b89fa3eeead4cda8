// Several documents as one tree: the main file and those of its directory.
#pragma once

#include <optional>
#include <vector>

#include "config/node.hpp"
#include "config/problems.hpp"

namespace pgbakd::config {

// Parses all documents and merges their top-level sections. What is defined in two of them is a problem that names both
// places. Nothing if any document could not be read as YAML: then other problems would be guesses. The tree is to be
// linked by link() where it comes to rest; until then only its own problems may be reported from it.
[[nodiscard]] std::optional<Node> parse_and_merge(const std::vector<Document>& documents, Problems& problems);

// Reports entries that stand twice in the merged, linked tree.
void report_duplicates(const Node& root, Problems& problems);

}  // namespace pgbakd::config
