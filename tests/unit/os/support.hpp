// Helpers of the tests of lib/os.
#pragma once

#include <sys/stat.h>
#include <unistd.h>

#include "base/error.hpp"
#include "support/common.hpp"
#include "support/small_disk.hpp"
#include "support/temporary_directory.hpp"

// The Error that `action` throws; the test fails if it throws none.
template <class Action>
pgbakd::base::Error error_of(Action action) {
    try {
        action();
    } catch (const pgbakd::base::Error& error) {
        return error;
    }
    FAIL("no error was thrown");
    return {pgbakd::base::ErrorCode::internal, ""};
}

using support::SmallDisk;

inline void write(const std::filesystem::path& path, std::string_view text) {
    std::ofstream(path, std::ios::binary) << text;
}

inline std::string contents(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

inline unsigned mode_of(const std::filesystem::path& path) {
    struct stat found {};
    REQUIRE(::lstat(path.c_str(), &found) == 0);
    return found.st_mode & 07777U;
}
