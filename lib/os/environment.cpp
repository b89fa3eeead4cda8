#include "os/environment.hpp"

#include <fmt/format.h>
#include <string.h>  // explicit_bzero

#include <algorithm>
#include <array>
#include <string_view>

#include "base/error.hpp"
#include "base/text.hpp"

namespace pgbakd::os {
namespace {

bool is_inherited(std::string_view name) {
    // Anything else, PGHOST or LD_PRELOAD among them, would change what a child does behind the configuration's back.
    constexpr std::array<std::string_view, 6> names{"PATH", "HOME", "USER", "LANG", "TZ", "TMPDIR"};
    return name.starts_with("LC_") || std::find(names.begin(), names.end(), name) != names.end();
}

bool is_replaced(std::string_view name, const std::vector<Command::Variable>& added) {
    return std::any_of(added.begin(), added.end(), [name](const auto& variable) { return variable.name == name; });
}

void check(const Command::Variable& variable) {
    const auto& name = variable.name;
    if (name.empty() || name.find('=') != std::string::npos || name.find('\0') != std::string::npos)
        throw base::Error(base::ErrorCode::invalid_argument,
                          fmt::format("\"{}\" is no name of an environment variable", base::printable(name)));
    if (variable.value.reveal().find('\0') != std::string_view::npos)
        throw base::Error(base::ErrorCode::invalid_argument,
                          fmt::format("the value of the environment variable {} holds a NUL byte", name));
}

// Of the exact size: a vector that grew would leave a copy of the secret behind.
std::vector<char> assignment(std::string_view name, std::string_view value) {
    std::vector<char> text;
    text.reserve(name.size() + value.size() + 2);
    text.insert(text.end(), name.begin(), name.end());
    text.push_back('=');
    text.insert(text.end(), value.begin(), value.end());
    text.push_back('\0');
    return text;
}

}  // namespace

EnvironmentBlock::EnvironmentBlock(const char* const* inherited, const std::vector<Command::Variable>& added) {
    // All is checked before anything secret is copied: a constructor that throws wipes nothing.
    for (const auto& variable : added) check(variable);
    texts_.reserve(added.size());
    for (; inherited != nullptr && *inherited != nullptr; ++inherited) {
        const std::string_view text(*inherited);
        const auto name = text.substr(0, text.find('='));
        if (name.size() == text.size() || !is_inherited(name) || is_replaced(name, added)) continue;
        texts_.push_back(assignment(name, text.substr(name.size() + 1)));
    }
    for (std::size_t i = 0; i < added.size(); ++i) {
        const auto& name = added[i].name;
        const bool repeated = std::any_of(added.begin() + static_cast<std::ptrdiff_t>(i) + 1, added.end(),
                                          [&name](const auto& later) { return later.name == name; });
        if (!repeated) texts_.push_back(assignment(name, added[i].value.reveal()));
    }
    pointers_.reserve(texts_.size() + 1);
    for (auto& text : texts_) pointers_.push_back(text.data());
    pointers_.push_back(nullptr);
}

EnvironmentBlock::~EnvironmentBlock() {
    for (auto& text : texts_) ::explicit_bzero(text.data(), text.size());
}

}  // namespace pgbakd::os
