// An artifact that is sent while it is still being made: its writer tells how far it has come, and whoever sends it
// reads behind.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "async/buffers.hpp"
#include "async/event.hpp"
#include "async/pool.hpp"
#include "target/target.hpp"

namespace pgbakd::offsite {

// The bytes as one sender reads them.
class Reading {
  public:
    Reading() = default;
    Reading(const Reading&) = delete;
    Reading& operator=(const Reading&) = delete;
    virtual ~Reading() = default;
    // Some bytes from `offset` on, at least one and at most `count`, which wait_beyond() said are there. One read
    // begins where the last one ended.
    virtual asio::awaitable<async::Chunk> read(std::uint64_t offset, std::size_t count) = 0;
    // Whether the object holds the `length` bytes that were sent. Error: corrupt, with what differs.
    virtual asio::awaitable<void> compare(target::Target& target, std::string key, std::uint64_t length,
                                          std::function<std::uint64_t()> random, async::StopToken stop) = 0;
};

// Reactor thread only.
class Growing {
  public:
    virtual ~Growing() = default;
    Growing(const Growing&) = delete;
    Growing& operator=(const Growing&) = delete;

    // The artifact's name in its set.
    [[nodiscard]] const std::string& name() const noexcept { return name_; }

    // What it may come to, in bytes, for those who must choose before they know; 0: nobody can tell.
    std::uint64_t guess = 0;

    // --- the writer ---
    void grown_to(std::uint64_t bytes);
    // All of it was found right. `sha256`: what the whole hashes to, in lower-case hexadecimal; whoever reads it
    // compares. Empty: nobody knows.
    void complete(std::uint64_t bytes, std::string sha256 = {});
    // It will not become an artifact.
    void abandon();
    // The same, also after complete(): those that belong with it did not come about.
    void withdraw();

    // --- readers ---
    virtual asio::awaitable<std::unique_ptr<Reading>> open(async::Pool& pool) = 0;
    // Nobody will read it (again): its writer need not wait for anybody.
    virtual void give_up() {}
    // How many bytes there are, once that is more than `offset` or no more come. Throws cancelled if it was abandoned.
    asio::awaitable<std::uint64_t> wait_beyond(std::uint64_t offset, async::StopToken stop);
    // The length of the whole, once it is known to be right; throws as above.
    asio::awaitable<std::uint64_t> wait_complete(async::StopToken stop);
    // Of the whole, if it is known by now.
    [[nodiscard]] std::optional<std::uint64_t> length() const noexcept {
        return state_ == State::complete ? std::optional(bytes_) : std::nullopt;
    }
    // See complete().
    [[nodiscard]] const std::string& sha256() const noexcept { return sha256_; }
    // What was read of it is not what was written: nobody may have it.
    void set_spoiled() noexcept { spoiled_ = true; }
    [[nodiscard]] bool is_spoiled() const noexcept { return spoiled_; }
    [[nodiscard]] bool is_abandoned() const noexcept { return state_ == State::abandoned; }
    // Whether it can be read a second time: it is on the disk.
    [[nodiscard]] bool is_kept() const noexcept { return kept_ == Kept::on_disk; }
    // Whether what a target has of it may be of use to a later attempt, after one that failed: an artifact stays one
    // when it is stopped, a file that is still being written is then given up with its run.
    [[nodiscard]] bool may_be_sent_later(bool stopped) const noexcept {
        return is_kept() && (state_ == State::complete || (state_ == State::growing && !stopped));
    }

  protected:
    enum class Kept { on_disk, nowhere };
    Growing(const asio::any_io_executor& executor, std::string name, Kept kept)
        : name_(std::move(name)), kept_(kept), changed_(executor) {}

  private:
    enum class State { growing, complete, abandoned };
    void check() const;
    std::string name_;
    Kept kept_;
    async::Event changed_;
    std::uint64_t bytes_ = 0;
    std::string sha256_;
    bool spoiled_ = false;
    State state_ = State::growing;
};

}  // namespace pgbakd::offsite
