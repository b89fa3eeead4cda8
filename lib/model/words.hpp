// Enums and their words: each is written once, in its *_text function, and read back by looking it up there.
#pragma once

#include <fmt/format.h>

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/text.hpp"

namespace pgbakd::model {

// Error: invalid_argument, which names the words there are.
template <class Enum>
[[nodiscard]] base::Result<Enum> parse_word(std::string_view what, std::string_view text,
                                            std::string_view (*word)(Enum) noexcept,
                                            std::initializer_list<Enum> values) {
    std::vector<std::string> words;
    for (const auto value : values) {
        if (word(value) == text) return value;
        words.emplace_back(word(value));
    }
    return base::Error(base::ErrorCode::invalid_argument,
                       fmt::format("\"{}\" is no {}", base::printable(base::clamp_utf8(text, 100)), what),
                       "known are " + base::join(words, ", "));
}

}  // namespace pgbakd::model
