#include "os/find_program.hpp"

#include <unistd.h>

#include <system_error>

namespace pgbakd::os {

bool is_program(const std::filesystem::path& path) {
    std::error_code failure;
    return std::filesystem::is_regular_file(path, failure) && ::access(path.c_str(), X_OK) == 0;
}

std::optional<std::filesystem::path> find_program(const std::string& name,
                                                  const std::vector<std::filesystem::path>& directories) {
    if (name.starts_with('/')) return is_program(name) ? std::optional<std::filesystem::path>(name) : std::nullopt;
    for (const auto& directory : directories)
        if (auto path = directory / name; is_program(path)) return path;
    return std::nullopt;
}

}  // namespace pgbakd::os
