#include "os/temporary_directory.hpp"

#include <stdlib.h>

#include <cerrno>
#include <system_error>

#include "base/error.hpp"

namespace pgbakd::os {

TemporaryDirectory::TemporaryDirectory() {
    auto pattern = (std::filesystem::temp_directory_path() / "pgbakd-XXXXXX").native();
    if (::mkdtemp(pattern.data()) == nullptr)
        throw base::error_from_errno(
            errno, "making a temporary directory in " + std::filesystem::temp_directory_path().native());
    path_ = pattern;
}

TemporaryDirectory::~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

}  // namespace pgbakd::os
