// Where a program is.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace pgbakd::os {

// A regular file that we may execute.
[[nodiscard]] bool is_program(const std::filesystem::path& path);
// A path from "/" on as it is, if it is a program; else the first program of that name in the directories.
[[nodiscard]] std::optional<std::filesystem::path> find_program(const std::string& name,
                                                                const std::vector<std::filesystem::path>& directories);

}  // namespace pgbakd::os
