// What `rclone lsjson` prints, as entries.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "target/target.hpp"

namespace pgbakd::target {

// One object, as `lsjson` and `lsjson --stat` print it (rclone's cmd/lsjson), with `prefix` before its path. Nothing
// for a directory. Error: corrupt.
[[nodiscard]] base::Result<std::optional<Entry>> parse_rclone_item(std::string_view json, const std::string& prefix);

// When such an item was modified, which may be a directory; the epoch: that is not told.
[[nodiscard]] base::Timestamp parse_rclone_time(std::string_view json);

// Takes the array as it comes, which has each item on a line of its own, so that memory is bounded by one of them.
class RcloneListing final : public Sink {
  public:
    RcloneListing(std::string prefix, std::function<void(Entry)> take);
    asio::awaitable<void> write(std::span<const std::byte> bytes, async::StopToken stop) override;

  private:
    void take_line(std::string_view line);
    std::string prefix_;
    std::function<void(Entry)> take_;
    std::string line_;
};

struct RcloneFeatures {
    bool moves = false;        // by the remote itself, by renaming or copying there
    bool directories = false;  // that can be empty, and so are left behind
    bool checksums = false;
    bool about = false;  // tells how much room there is
};
// What `rclone backend features` prints. Error: corrupt.
[[nodiscard]] base::Result<RcloneFeatures> parse_rclone_features(std::string_view json);
// What `rclone about --json` prints; nothing if it does not tell how much is free. Error: corrupt.
[[nodiscard]] base::Result<std::optional<Room>> parse_rclone_about(std::string_view json);

}  // namespace pgbakd::target
