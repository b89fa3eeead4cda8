// A directory: a mount of NFS or CIFS, a second disk. An upload is a file in its own folder, flushed and then renamed,
// so that its key is there whole or not at all; directories are made with mode 0700, files with 0600.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>

#include "async/pool.hpp"
#include "target/target.hpp"

namespace pgbakd::target {

struct DirectoryOptions {
    std::string name;            // the target's, as the configuration has it
    std::filesystem::path path;  // absolute; made if it is not there, but never on a disk that require_mount forbids
    // Before each operation: it must be on a file system that is neither the one of "/" nor the one of the repository,
    // and mounted at or below the mount point, if one is given; else unreachable (passing).
    bool require_mount = false;
    std::filesystem::path mount_point{};
    std::filesystem::path repository{};
    // How long no step of an operation may come to its end (a piece written, a name looked up); above zero.
    std::chrono::milliseconds stall_timeout = std::chrono::minutes(5);
};

// The pool must outlive the target, and so must the clock. A mount whose server is away may hold the threads of the
// pool for as long as it likes: such targets get a pool of their own. What hangs fails with timed_out, or ends with its
// stop, and its thread stays behind; until that comes back every operation fails with unreachable (passing). Error:
// invalid_argument for a path that is not absolute.
[[nodiscard]] std::shared_ptr<Target> make_directory_target(DirectoryOptions options, async::Pool& pool,
                                                            const base::Clock& clock);

}  // namespace pgbakd::target
