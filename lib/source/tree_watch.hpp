// Whether files and trees are as they were, and where to look for them to change.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "source/files_options.hpp"

namespace pgbakd::source {

// Of the names, kinds, owners, modes, sizes and times (those that nobody can set included) of all that would be stored,
// and of how it would be: another one when any of it has changed. Reads no file. Blocks; `check` is called between
// steps and throws to end it.
[[nodiscard]] std::string tree_stamp(const FilesOptions& options, std::string_view manner,
                                     const std::function<void()>& check);

// Each directory in which something can happen that changes the stamp: those that are stored, and those that hold what
// is given. Blocks; `take` may throw to end it.
void each_watched_directory(const FilesOptions& options, const std::function<void(const std::filesystem::path&)>& take);

}  // namespace pgbakd::source
