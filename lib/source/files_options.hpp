// What a source of files stores.
#pragma once

#include <filesystem>
#include <vector>

#include "model/path_excludes.hpp"
#include "source/redact.hpp"

namespace pgbakd::source {

struct FilesOptions {
    // Files and trees, absolute. One that is given twice, or lies in another, is stored once. None is excluded itself;
    // one that would be, as it lies in another, counts as if it were given alone.
    std::vector<std::filesystem::path> paths;
    model::PathExcludes excludes;
    // Values of these keys in files that redact_kind() knows; without any, files are stored as they are.
    KeyPatterns redact;
    // Otherwise what is mounted below a path given is stored as an empty directory.
    bool other_file_systems = false;
};

}  // namespace pgbakd::source
