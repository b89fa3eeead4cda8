// pg_dump's directory format as one stream: the program fills a directory, then the directory is read as a tar and each
// file is removed once it was read, so that the whole never lies on the disk twice.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "async/pool.hpp"
#include "os/process.hpp"
#include "source/stream.hpp"

namespace pgbakd::source {

// `directory` must exist and be empty. It is removed at the end in any case. `verbose`: see Remarks.
[[nodiscard]] std::unique_ptr<Stream> open_directory_stream(asio::any_io_executor executor, async::Pool& pool,
                                                            const os::Command& command, std::filesystem::path directory,
                                                            std::string what, bool verbose = false);

}  // namespace pgbakd::source
