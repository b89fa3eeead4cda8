// Which files a source of files leaves out. Pure.
//
//   *.tmp              without a slash: a base name, anywhere below the paths given
//   cache/**           with one: a path relative to each of the paths given that it lies in
//   /srv/erp/cache     with one in front: a whole path
//   node_modules/      with one at the end: directories only
//
// `**` as a whole name stands for any number of names, none too; at the end for one at least, so that cache/** leaves
// out what is in cache and keeps cache. Names are as in NamePattern. With a directory, all below it is left out.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "model/name_pattern.hpp"

namespace pgbakd::model {

class PathExcludes {
  public:
    PathExcludes() = default;
    // Fails with `invalid_argument` on what NamePattern refuses, on names "." and "..", and on a `!` in front, which
    // elsewhere means the opposite (`\!` is the character).
    [[nodiscard]] static base::Result<PathExcludes> parse(std::span<const std::string> patterns);

    // `path` is absolute and has no slash at its end. `bases`: where in it begins what is relative to each of the paths
    // given that it lies in.
    [[nodiscard]] bool exclude(std::string_view path, std::span<const std::size_t> bases, bool is_directory) const;

  private:
    using Name = std::optional<NamePattern>;  // nothing: `**`
    struct Pattern {
        enum class Kind { name, relative, whole };
        Kind kind = Kind::name;
        bool directories_only = false;
        std::vector<Name> names;
    };
    [[nodiscard]] static base::Result<Pattern> parse_one(std::string_view text);
    [[nodiscard]] static bool matches(const std::vector<Name>& names, std::span<const std::string_view> path);

    std::vector<Pattern> patterns_;
    bool with_paths_ = false;  // any that is more than a base name
};

}  // namespace pgbakd::model
