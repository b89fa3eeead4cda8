// One artifact: what is pushed is written to its file, hashed and decoded at the same time, each on a lane of its own.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "async/event.hpp"
#include "async/lane.hpp"
#include "codec/check.hpp"
#include "codec/sha256.hpp"
#include "os/file.hpp"

namespace pgbakd::run {

struct WrittenArtifact {
    std::uint64_t bytes = 0;
    std::string sha256;
    codec::CheckResult check;
};

class ArtifactWriter {
  public:
    // Without a path there is no file: the bytes are hashed and decoded only, by `check`. `on_failure` is called on the
    // reactor when a lane fails: the writer of chunks should stop then. `on_written` (may be empty) is told there how
    // many bytes are in the file.
    ArtifactWriter(const asio::any_io_executor& executor, async::Pool& pool, std::optional<std::filesystem::path> path,
                   std::unique_ptr<codec::Check> check, const std::function<void()>& on_failure,
                   const std::function<void(std::uint64_t)>& on_written);
    ~ArtifactWriter();

    // Creates the file; before the first push().
    asio::awaitable<void> open();
    // What is decoded, and what is written and hashed: the same, unless it is encrypted in between.
    void push_content(async::Chunk chunk);
    void push_file(async::Chunk chunk);
    // Until little of either waits to be consumed, or a lane has failed: a slow disk must not fill the memory.
    asio::awaitable<void> wait_room(async::StopToken stop);

    // After the last chunk: everything consumed, decoded to the end; the file fsynced, and read back from the disk with
    // the same hash. Throws the first failure: no_space, corrupt, …
    asio::awaitable<WrittenArtifact> finish(async::StopToken stop);
    // The failure of a lane, if one has failed.
    asio::awaitable<void> rethrow_failure();
    // Instead of finish(): waits until nothing is on the pool. Never throws.
    asio::awaitable<void> quiesce();

  private:
    struct State;
    std::function<void()> failed(const std::function<void()>& on_failure);
    async::Pool& pool_;
    std::unique_ptr<State> state_;
    async::Event progress_;
    async::Lane file_;
    async::Lane hash_;
    async::Lane check_;
};

}  // namespace pgbakd::run
