// The objects below a directory, page by page, in the order of their keys. Blocks, and waits as DirectoryFiles does.
#pragma once

#include <string>

#include "async/leaving.hpp"
#include "os/file.hpp"
#include "os/open_directory.hpp"
#include "target/target.hpp"

namespace pgbakd::target {

[[nodiscard]] base::Timestamp modified_of(const os::FileStatus& status);

// At most `limit` of them whose keys sort behind `after`. `directory` is the folder of `prefix`, which their keys begin
// with. What has no name that check_key() takes is left out, as links and the folder of uploads are. Ends early where
// `waiting` was left.
[[nodiscard]] Page page_of(const os::OpenDirectory& directory, const std::string& prefix, const std::string& after,
                           std::size_t limit, async::Waiting& waiting);

}  // namespace pgbakd::target
