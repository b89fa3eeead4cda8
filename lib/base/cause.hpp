// What the words of a program mean that tells no more than words: tables of known causes, searched in their order.
#pragma once

#include <algorithm>
#include <span>
#include <string_view>

#include "base/error.hpp"

namespace pgbakd::base {

struct Cause {
    std::string_view words;  // in the program's messages
    ErrorCode code;
    Persistence persistence;
    std::string_view hint;
};

// The first one whose words stand in the text, so what explains others comes before them; null if none do.
[[nodiscard]] inline const Cause* find_cause(std::span<const Cause> causes, std::string_view text) noexcept {
    const auto found = std::find_if(causes.begin(), causes.end(), [text](const Cause& cause) {
        return text.find(cause.words) != std::string_view::npos;
    });
    return found == causes.end() ? nullptr : &*found;
}

}  // namespace pgbakd::base
