#include "model/name_pattern.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/utf8.hpp"

namespace pgbakd::model {
namespace {

using base::Error;
using base::ErrorCode;

// Bytes that are no UTF-8 are numbered behind all characters.
constexpr char32_t first_byte = 0x110000;

char32_t next_character(std::string_view text, std::size_t& at) {
    const auto length = base::utf8_length(text.substr(at));
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[at + i]); };
    char32_t character = byte(0);
    switch (length) {
        case 0: character += first_byte; break;
        case 2: character = (character & 0x1FU) << 6U | (byte(1) & 0x3FU); break;
        case 3: character = (character & 0x0FU) << 12U | (byte(1) & 0x3FU) << 6U | (byte(2) & 0x3FU); break;
        case 4:
            character =
                (character & 0x07U) << 18U | (byte(1) & 0x3FU) << 12U | (byte(2) & 0x3FU) << 6U | (byte(3) & 0x3FU);
            break;
        default: break;
    }
    at += std::max<std::size_t>(length, 1);
    return character;
}

char32_t folded(char32_t character) {
    return character >= U'A' && character <= U'Z' ? character + (U'a' - U'A') : character;
}

char32_t raised(char32_t character) {
    return character >= U'a' && character <= U'z' ? character - (U'a' - U'A') : character;
}

Error wrong(std::string_view pattern, std::string_view what) {
    return {ErrorCode::invalid_argument, fmt::format("\"{}\" {}", pattern, what)};
}

}  // namespace

base::Result<NamePattern> NamePattern::parse(std::string_view text, Case letters) {
    if (text.empty()) return wrong(text, "matches no name");
    NamePattern pattern;
    pattern.letters_ = letters;
    std::size_t at = 0;
    // The character at `at`, with a `\` before it taken off; nothing at the end.
    const auto literal = [&](char32_t& character) {
        if (text[at] == '\\' && ++at == text.size()) return false;
        character = next_character(text, at);
        return true;
    };
    while (at < text.size()) {
        Step step;
        if (text[at] == '*') {
            step.kind = Step::Kind::any_number;
            while (at < text.size() && text[at] == '*') ++at;
        } else if (text[at] == '?') {
            step.kind = Step::Kind::any_one;
            ++at;
        } else if (text[at] == '[') {
            ++at;
            step.negated = at < text.size() && (text[at] == '!' || text[at] == '^');
            if (step.negated) ++at;
            for (bool first = true; at < text.size() && (first || text[at] != ']'); first = false) {
                if (text.substr(at).starts_with("[:"))
                    return wrong(text, "has a character class, which is not known here");
                char32_t low = 0;
                if (!literal(low)) return wrong(text, "ends with a \\ that takes nothing as it is");
                auto high = low;
                if (at + 1 < text.size() && text[at] == '-' && text[at + 1] != ']') {
                    ++at;
                    if (!literal(high)) return wrong(text, "ends with a \\ that takes nothing as it is");
                }
                if (high < low) return wrong(text, "has a range that ends before it begins");
                step.ranges.emplace_back(low, high);
            }
            if (at == text.size()) return wrong(text, "has a [ without its ]");
            ++at;
        } else {
            char32_t character = 0;
            if (!literal(character)) return wrong(text, "ends with a \\ that takes nothing as it is");
            step.ranges.emplace_back(character, character);
        }
        pattern.steps_.push_back(std::move(step));
    }
    return pattern;
}

bool NamePattern::matches_one(const Step& step, char32_t character) const {
    if (step.kind == Step::Kind::any_one) return true;
    const auto holds = [&step](char32_t one) {
        return std::any_of(step.ranges.begin(), step.ranges.end(),
                           [one](const auto& range) { return one >= range.first && one <= range.second; });
    };
    const bool found = letters_ == Case::any ? holds(folded(character)) || holds(raised(character)) : holds(character);
    return found != step.negated;
}

bool NamePattern::matches(std::string_view name) const {
    // The last `*` passed, and where the name continues when it takes one character more. Earlier ones need not be
    // tried again: whatever they could take, the last one can.
    std::size_t step = 0;
    std::size_t at = 0;
    bool starred = false;
    std::size_t step_after_star = 0;
    std::size_t at_after_star = 0;
    while (at < name.size()) {
        if (step < steps_.size() && steps_[step].kind == Step::Kind::any_number) {
            starred = true;
            step_after_star = ++step;
            at_after_star = at;
            continue;
        }
        auto next = at;
        if (step < steps_.size() && matches_one(steps_[step], next_character(name, next))) {
            ++step;
            at = next;
            continue;
        }
        if (!starred) return false;
        (void)next_character(name, at_after_star);
        at = at_after_star;
        step = step_after_star;
    }
    return std::all_of(steps_.begin() + static_cast<std::ptrdiff_t>(step), steps_.end(),
                       [](const Step& one) { return one.kind == Step::Kind::any_number; });
}

}  // namespace pgbakd::model
