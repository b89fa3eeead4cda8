// Where the bytes of an artifact go besides its file: to those who send it to targets while it is made.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "async/buffers.hpp"
#include "async/event.hpp"
#include "base/clock.hpp"
#include "offsite/growing_buffer.hpp"
#include "offsite/growing_file.hpp"

namespace pgbakd::run {

// The writer's side. Reactor thread only. Ends with complete() or abandon().
class Feed {
  public:
    Feed() = default;
    Feed(const Feed&) = delete;
    Feed& operator=(const Feed&) = delete;
    virtual ~Feed() = default;
    // The next bytes; they are on their way to the disk, if the artifact is kept there.
    virtual void push(const async::Chunk& chunk) = 0;
    // So many of them are in the file.
    virtual void on_disk(std::uint64_t bytes) = 0;
    // Until those who read are not too far behind. Throws when nobody is left for whom going on would be of use.
    virtual asio::awaitable<void> wait_room(async::StopToken stop) = 0;
    // That is the whole, and it was found right.
    virtual void complete(std::uint64_t bytes, const std::string& sha256) = 0;
    virtual void abandon() = 0;
};

// The file on the disk feeds everybody, each at his own pace.
class FileFeed final : public Feed {
  public:
    explicit FileFeed(std::shared_ptr<offsite::GrowingFile> file) : file_(std::move(file)) {}
    void push(const async::Chunk& /*chunk*/) override {}
    void on_disk(std::uint64_t bytes) override { file_->grown_to(bytes); }
    asio::awaitable<void> wait_room(async::StopToken /*stop*/) override { co_return; }
    void complete(std::uint64_t bytes, const std::string& sha256) override { file_->complete(bytes, sha256); }
    void abandon() override { file_->abandon(); }

  private:
    std::shared_ptr<offsite::GrowingFile> file_;
};

// There is no file: each reader has the stream to himself, and the slowest sets the pace; but not one for whose sake
// the others would take more than twice as long, and a minute more.
class BufferFeed final : public Feed {
  public:
    static constexpr std::chrono::seconds patience{60};

    // The clock must outlive it. `taken` is that of the buffers. `why` tells what the first of them failed of.
    BufferFeed(const base::Clock& clock, std::vector<std::shared_ptr<offsite::GrowingBuffer>> buffers,
               std::shared_ptr<async::Event> taken, std::function<base::Error()> why = {});
    void push(const async::Chunk& chunk) override;
    void on_disk(std::uint64_t /*bytes*/) override {}
    // Once all readers have given up: throws why, or unreachable if nobody can tell.
    asio::awaitable<void> wait_room(async::StopToken stop) override;
    void complete(std::uint64_t bytes, const std::string& sha256) override;
    void abandon() override;

  private:
    struct Reader {
        std::shared_ptr<offsite::GrowingBuffer> buffer;
        std::chrono::nanoseconds cost{0};  // how long others waited for this one
    };
    asio::awaitable<void> wait_taken(std::optional<std::chrono::nanoseconds> at_most, async::StopToken stop);
    [[nodiscard]] std::chrono::nanoseconds patience_left(const Reader& reader) const;

    const base::Clock& clock_;
    std::vector<Reader> readers_;
    std::shared_ptr<async::Event> taken_;
    std::function<base::Error()> why_;
    base::SteadyTime began_;
};

}  // namespace pgbakd::run
