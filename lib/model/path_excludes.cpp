#include "model/path_excludes.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"

namespace pgbakd::model {
namespace {

using base::Error;
using base::ErrorCode;

}  // namespace

base::Result<PathExcludes> PathExcludes::parse(std::span<const std::string> patterns) {
    PathExcludes excludes;
    for (const auto& text : patterns) {
        auto pattern = parse_one(text);
        if (!pattern) return pattern.error();
        excludes.with_paths_ = excludes.with_paths_ || pattern->kind != Pattern::Kind::name;
        excludes.patterns_.push_back(std::move(*pattern));
    }
    return excludes;
}

base::Result<PathExcludes::Pattern> PathExcludes::parse_one(std::string_view text) {
    Pattern pattern;
    auto rest = text;
    if (rest.starts_with('!'))
        return Error(ErrorCode::invalid_argument, fmt::format("\"{}\" begins with a !", text),
                     "what is left out cannot be taken in again; write \\! for the character");
    if (rest.ends_with('/')) {
        pattern.directories_only = true;
        rest.remove_suffix(1);
    }
    if (rest.starts_with('/')) {
        pattern.kind = Pattern::Kind::whole;
        rest.remove_prefix(1);
    } else if (rest.find('/') != std::string_view::npos) {
        pattern.kind = Pattern::Kind::relative;
    }
    for (const auto name : base::split(rest, '/')) {
        if (name == "." || name == ".." || name.empty())
            return Error(ErrorCode::invalid_argument,
                         fmt::format("\"{}\" has a name in it that is none: \"{}\"", text, name));
        // Two in a row are as good as one, and one is faster.
        if (name == "**" && pattern.kind != Pattern::Kind::name) {
            if (pattern.names.empty() || pattern.names.back()) pattern.names.emplace_back(std::nullopt);
            continue;
        }
        auto parsed = NamePattern::parse(name);
        if (!parsed && name == text) return parsed.error();
        if (!parsed)
            return Error(ErrorCode::invalid_argument, fmt::format("\"{}\": {}", text, parsed.error().message()));
        pattern.names.emplace_back(std::move(*parsed));
    }
    return pattern;
}

// As NamePattern::matches(), with names in place of characters.
bool PathExcludes::matches(const std::vector<Name>& names, std::span<const std::string_view> path) {
    const bool open_end = !names.back();
    std::size_t name = 0;
    std::size_t at = 0;
    bool starred = false;
    std::size_t name_after_star = 0;
    std::size_t at_after_star = 0;
    while (at < path.size()) {
        if (name < names.size() && !names[name]) {
            if (open_end && name + 1 == names.size()) return true;  // at least one is left
            starred = true;
            name_after_star = ++name;
            at_after_star = at;
            continue;
        }
        if (name < names.size() && names[name]->matches(path[at])) {
            ++name;
            ++at;
            continue;
        }
        if (!starred) return false;
        at = ++at_after_star;
        name = name_after_star;
    }
    return name == names.size();
}

bool PathExcludes::exclude(std::string_view path, std::span<const std::size_t> bases, bool is_directory) const {
    if (patterns_.empty()) return false;
    const auto base_name = path.substr(path.rfind('/') + 1);
    std::vector<std::string_view> names;
    if (with_paths_) names = base::split(path.substr(1), '/');
    const std::span<const std::string_view> all(names);
    return std::any_of(patterns_.begin(), patterns_.end(), [&](const Pattern& pattern) {
        if (pattern.directories_only && !is_directory) return false;
        switch (pattern.kind) {
            case Pattern::Kind::name: return pattern.names.front()->matches(base_name);
            case Pattern::Kind::whole: return matches(pattern.names, all);
            case Pattern::Kind::relative: break;
        }
        return std::any_of(bases.begin(), bases.end(), [&](std::size_t base) {
            const auto above = path.substr(0, base);
            const auto skipped = static_cast<std::size_t>(std::count(above.begin(), above.end(), '/')) - 1;
            return skipped < all.size() && matches(pattern.names, all.subspan(skipped));
        });
    });
}

}  // namespace pgbakd::model
