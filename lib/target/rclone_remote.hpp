// One remote: the steps that rclone can do there, each by one process.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "target/rclone_listing.hpp"
#include "target/rclone_program.hpp"
#include "target/target.hpp"

namespace pgbakd::target {

// Paths are those below the remote: keys, and names in the uploads folder.
class RcloneRemote {
  public:
    RcloneRemote(RcloneOptions options, async::Pool& pool) : program_(std::move(options), pool) {}

    [[nodiscard]] std::string place(std::string_view path) const { return program_.place(path); }
    // Asked once, then known.
    asio::awaitable<RcloneFeatures> features(async::StopToken stop);
    asio::awaitable<std::optional<Room>> room(async::StopToken stop);
    asio::awaitable<std::optional<Entry>> stat(std::string path, Detail detail, async::StopToken stop);
    // Every object below a prefix, in no order, what is in the uploads folder included.
    asio::awaitable<std::vector<Entry>> list(std::string prefix, async::StopToken stop);
    asio::awaitable<void> cat(std::string path, Range range, Sink& sink, async::StopToken stop);
    [[nodiscard]] std::chrono::milliseconds stall_timeout(bool is_slow) const noexcept {
        return program_.stall_timeout(is_slow);
    }
    // The program that stores its standard input at `path`.
    asio::awaitable<std::unique_ptr<async::Child>> rcat(std::string path);
    asio::awaitable<void> move(std::string from, std::string to, Existing existing, async::StopToken stop);
    // One that is not there is no error.
    asio::awaitable<void> remove(std::string path, async::StopToken stop);
    // The directory and its parents, as long as they are empty. Whether it could is not told.
    asio::awaitable<void> remove_empty(std::string directory, async::StopToken stop);

    // When the uploads folder got a directory of that name, which is made and removed again; the epoch: it is not told.
    asio::awaitable<base::Timestamp> time_of_new_directory(std::string name, async::StopToken stop);

  private:
    RcloneCall call(std::string verb, std::vector<std::string> flags, std::string_view path) const;
    RcloneProgram program_;
    std::optional<RcloneFeatures> features_;
};

// An upload by rcat; see make_rclone_target().
asio::awaitable<std::unique_ptr<Upload>> begin_rclone_upload(std::shared_ptr<RcloneRemote> remote, std::string key,
                                                             PutOptions options, async::StopToken stop);

}  // namespace pgbakd::target
