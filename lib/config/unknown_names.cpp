#include "config/unknown_names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "config/types.hpp"

namespace pgbakd::config {

std::string list_names(std::string_view what, const std::vector<std::string>& names) {
    constexpr std::size_t shown = 10;
    const auto first = std::span(names).first(std::min(names.size(), shown));
    auto list = fmt::format("{} defined here: {}", what, base::join(first, ", "));
    return names.size() > shown ? list + fmt::format(" and {} more", names.size() - shown) : list;
}

void report_unknown_name(Problems& problems, const Node& node, std::string_view what, const std::string& name,
                         const std::vector<std::string>& names, const std::string& add) {
    if (problems.full()) return;
    const auto similar = did_you_mean(name, names);
    auto hint = names.empty() ? "none is defined: add " + add : list_names(fmt::format("{}s", what), names);
    problems.error(node, fmt::format("no {} named \"{}\"", what, excerpt(name)),
                   similar.empty() ? std::move(hint) : similar + " " + hint);
}

void check_names_exist(Problems& problems, const Node& list, std::string_view what,
                       const std::vector<std::string>& names, const std::string& add) {
    for (const auto& child : list.children)
        if (!child.refused && !std::binary_search(names.begin(), names.end(), child.text))
            report_unknown_name(problems, child, what, child.text, names, add);
}

}  // namespace pgbakd::config
