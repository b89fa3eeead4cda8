// A local file that is sent while it is still being written: its writer tells how far it has come, and those who send
// it read behind. The disk is the buffer between them, so that no reader slows the writer or another reader.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>

#include "async/event.hpp"

namespace pgbakd::offsite {

// Reactor thread only.
class GrowingFile {
  public:
    GrowingFile(const asio::any_io_executor& executor, std::filesystem::path path)
        : path_(std::move(path)), changed_(executor) {}

    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

    // --- the writer ---
    void grown_to(std::uint64_t bytes);
    // All of it is on the disk, was read back, and is right.
    void complete(std::uint64_t bytes);
    // It will not become an artifact.
    void abandon();

    // --- readers ---
    // How many bytes there are, once that is more than `offset` or no more come. Throws cancelled if it was abandoned.
    asio::awaitable<std::uint64_t> wait_beyond(std::uint64_t offset, async::StopToken stop);
    // The length of the whole, once it is known to be right; throws as above.
    asio::awaitable<std::uint64_t> wait_complete(async::StopToken stop);
    // Of the whole, if it is known by now.
    [[nodiscard]] std::optional<std::uint64_t> length() const noexcept {
        return state_ == State::complete ? std::optional(bytes_) : std::nullopt;
    }
    [[nodiscard]] bool is_abandoned() const noexcept { return state_ == State::abandoned; }
    // Whether what a target has of it may be of use to a later attempt, after one that failed: an artifact stays one
    // when it is stopped, a file that is still being written is then given up with its run.
    [[nodiscard]] bool may_be_sent_later(bool stopped) const noexcept {
        return state_ == State::complete || (state_ == State::growing && !stopped);
    }

  private:
    enum class State { growing, complete, abandoned };
    void check() const;
    std::filesystem::path path_;
    async::Event changed_;
    std::uint64_t bytes_ = 0;
    State state_ = State::growing;
};

}  // namespace pgbakd::offsite
