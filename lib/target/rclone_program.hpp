// Running rclone: its command lines, its private copy of the configuration, and what its ends mean.
#pragma once

#include <deque>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "async/child.hpp"
#include "async/pool.hpp"
#include "os/descriptor.hpp"
#include "target/rclone_target.hpp"
#include "target/target.hpp"

namespace pgbakd::target {

// rclone writes what it learns (fresh tokens) into its configuration file. It gets a copy to do so, in a directory of
// our own, made anew when the file changes and removed with this object. The directory is locked as long as its process
// is alive; the first refresh() removes those that dead ones of the same user left there. Safe on any thread; all of it
// blocks.
class RcloneConfigCopy {
  public:
    RcloneConfigCopy(std::filesystem::path file, std::filesystem::path runtime_directory);
    RcloneConfigCopy(const RcloneConfigCopy&) = delete;
    RcloneConfigCopy& operator=(const RcloneConfigCopy&) = delete;
    ~RcloneConfigCopy();
    // Where the copy is, up to date; empty where there is no file. Error: invalid_configuration if it cannot be read.
    [[nodiscard]] std::filesystem::path refresh();

  private:
    std::filesystem::path file_, runtime_directory_, directory_;
    os::Descriptor lock_;
    std::mutex mutex_;
    std::uint64_t inode_ = 0;
    std::int64_t changed_ = 0;
};

struct RcloneCall {
    std::string what;                    // in errors: "rclone lsjson of drive:backups/a"
    std::vector<std::string> arguments;  // the verb and its flags
    std::vector<std::string> places;     // remotes and paths, never taken for flags
    bool feed_input = false;
    bool is_slow = false;  // the service may be silent for long while it does that
};

class RcloneProgram {
  public:
    RcloneProgram(RcloneOptions options, async::Pool& pool);

    // "gdrive:backups/<key>"; the remote itself for an empty key.
    [[nodiscard]] std::string place(std::string_view key) const;
    [[nodiscard]] asio::awaitable<os::Command> prepare(RcloneCall call);
    [[nodiscard]] std::chrono::milliseconds stall_timeout(bool is_slow) const noexcept;
    // Runs it to its end; its output goes to `output` as it comes. Throws what rclone_error() makes of a bad end.
    asio::awaitable<void> run(RcloneCall call, Sink& output, async::StopToken stop);
    // The same for what prints little: at most 1 MiB.
    asio::awaitable<std::string> text_of(RcloneCall call, async::StopToken stop);

  private:
    RcloneOptions options_;
    async::Pool& pool_;
    std::shared_ptr<RcloneConfigCopy> config_;
};

// What a bad end means, from the exit code and the last lines of standard error. Source of the codes:
// https://rclone.org/docs/#exit-code (1 and 2 changed places in 1.68, so neither tells anything here).
[[nodiscard]] base::Error rclone_error(std::string_view what, const os::Child::Ending& ending,
                                       const std::deque<std::string>& error_lines);

}  // namespace pgbakd::target
