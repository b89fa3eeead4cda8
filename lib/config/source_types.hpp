// Types of values that only sources have.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "config/types.hpp"
#include "model/source.hpp"

namespace pgbakd::config {

// A program and its arguments.
[[nodiscard]] Type<std::vector<std::string>> argument_vector();
// Variables and their values; one that is named like a secret is held to the rules of secrets.
[[nodiscard]] Type<std::vector<model::CommandSource::Variable>> environment();
// A list of codes from 0 to 255; at least one.
[[nodiscard]] Type<std::vector<int>> exit_codes();
// Absolute paths, at least one.
[[nodiscard]] Type<std::vector<std::filesystem::path>> path_list();
// Patterns of paths to leave out, and of keys whose values are secrets.
[[nodiscard]] Type<std::vector<std::string>> path_patterns();
[[nodiscard]] Type<std::vector<std::string>> key_patterns();
// How fast a server may send a base backup: what it takes as such.
[[nodiscard]] Type<std::uint64_t> server_rate();
// Of a file, without the dot before it.
[[nodiscard]] Type<std::string> file_extension();

}  // namespace pgbakd::config
