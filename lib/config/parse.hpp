// YAML text into a tree of nodes. The one place that knows the YAML library.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "config/node.hpp"
#include "config/problems.hpp"

namespace pgbakd::config {

inline constexpr std::size_t max_document_bytes = std::size_t{4} << 20U;
inline constexpr int max_depth = 32;

// The tree of one document, to be linked where it comes to rest; a null node for an empty one. Nothing if the text is
// no acceptable YAML: then one problem says where. What is YAML but not accepted here (anchors, aliases, tags,
// duplicate keys) is a problem each, and the nodes concerned are refused.
[[nodiscard]] std::optional<Node> parse_yaml(std::string_view text, std::size_t file, Problems& problems);

}  // namespace pgbakd::config
