#include "model/key_patterns.hpp"

#include <algorithm>

namespace pgbakd::model {

base::Result<KeyPatterns> KeyPatterns::parse(std::span<const std::string> patterns) {
    KeyPatterns keys;
    for (const auto& text : patterns) {
        auto pattern = NamePattern::parse(text, NamePattern::Case::any);
        if (!pattern) return pattern.error();
        keys.patterns_.push_back(std::move(*pattern));
    }
    return keys;
}

bool KeyPatterns::match(std::string_view key) const {
    return std::any_of(patterns_.begin(), patterns_.end(),
                       [key](const NamePattern& pattern) { return pattern.matches(key); });
}

}  // namespace pgbakd::model
