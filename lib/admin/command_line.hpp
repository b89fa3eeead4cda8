// From words to a verb and its arguments, by the table of verbs.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "admin/verbs.hpp"

namespace pgbakd::admin {

struct CommandLine {
    const Verb* verb = nullptr;  // null: `text` is what to print (help, version)
    Arguments arguments;
    bool json = false;
    std::optional<std::string> config;
    std::optional<std::string> socket;
    std::string text;
};

// Throws a usage error that says what is wrong and where help is.
[[nodiscard]] CommandLine parse_command_line(const std::vector<std::string>& arguments);

}  // namespace pgbakd::admin
