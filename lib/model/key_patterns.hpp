// Names of keys whose values are secrets, in letters of either case: `*PASSWORD*`, `*_KEY`. Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/name_pattern.hpp"

namespace pgbakd::model {

class KeyPatterns {
  public:
    KeyPatterns() = default;
    // Fails as NamePattern::parse().
    [[nodiscard]] static base::Result<KeyPatterns> parse(std::span<const std::string> patterns);
    [[nodiscard]] bool match(std::string_view key) const;
    [[nodiscard]] bool empty() const noexcept { return patterns_.empty(); }

  private:
    std::vector<NamePattern> patterns_;
};

}  // namespace pgbakd::model
