// Whatever rclone reaches, by its program: rcat, moveto, lsjson, cat, deletefile. One process for each step, so that it
// is for the places that nothing else here speaks to.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "async/pool.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "os/process.hpp"
#include "target/target.hpp"

namespace pgbakd::target {

struct RcloneOptions {
    std::string name;                         // the target's, as the configuration has it
    std::string remote;                       // "gdrive:backups"
    std::filesystem::path config_file;        // read, never written; empty: remotes come from the environment alone
    std::filesystem::path runtime_directory;  // for a copy of the configuration (0600), removed with the target
    std::filesystem::path program;            // rclone, absolute
    // For the child beside the little it inherits: RCLONE_CONFIG_PASS and whatever else is a secret. Never in argv.
    std::vector<os::Command::Variable> environment;
    // How long an rclone may neither take nor give nor move a byte; thrice that for what a service does on its side (an
    // upload's end, a move). Above zero.
    std::chrono::milliseconds stall_timeout = std::chrono::minutes(5);
};

// Uploads go to a name of their own and are moved to their key when they are complete; a remote that can neither move
// nor copy on its side (`rclone backend features`) gets them under their key at once, and loses what stood there if the
// upload fails. An overwrite is looked for first (Exclusive::checked). The pool is for small files and must outlive the
// target. Error: invalid_argument for a remote that is empty or begins with "-", or a program without an absolute path.
// sweep() goes by the place's time as well as by the clock's; where neither objects nor directories of a service bear a
// time of its own (rclone then makes one up), by the clock's alone.
[[nodiscard]] std::shared_ptr<Target> make_rclone_target(RcloneOptions options, async::Pool& pool,
                                                         const base::Clock& clock);

// The rclone on PATH (its value, directories separated by ":"). Error: client_missing, with the package to install.
[[nodiscard]] base::Result<std::filesystem::path> find_rclone(std::string_view path_variable);

}  // namespace pgbakd::target
