// An object on its way to an SSH server: pieces that are appended to one file, one after another, while the next fills.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "async/event.hpp"
#include "async/leaving.hpp"
#include "async/task_group.hpp"
#include "target/live_upload.hpp"
#include "target/placing.hpp"
#include "target/sftp_store.hpp"
#include "target/tidying.hpp"

namespace pgbakd::target {

// An interrupt takes two seconds; what does not heed it hangs on something else, as on a key file of a dead mount.
inline constexpr std::chrono::seconds interrupt_patience{4};

// What the target and its uploads share.
struct SftpShared {
    SftpShared(SftpTargetOptions options, async::Pool& pool_, const base::Clock& clock)
        : store(std::move(options), clock), pool(pool_) {}
    [[nodiscard]] base::Error busy() const {
        return {base::ErrorCode::unreachable,
                store.place() + " does not answer: what was begun there before still waits for it",
                {},
                base::Persistence::passing};
    }
    SftpStore store;
    async::Pool& pool;
};

// Runs a job of the store on the pool; a stop interrupts it, and is thrown once it has ended, or when it does not end.
// Then it is left behind, and nothing is begun before it has ended.
template <class Work>
auto on_sftp_pool(std::shared_ptr<SftpShared> shared, Work work, async::StopToken stop)
    -> asio::awaitable<std::invoke_result_t<Work&, SftpStore&, http::Interrupt&>> {
    using Value = std::invoke_result_t<Work&, SftpStore&, http::Interrupt&>;
    stop.check();
    if (shared->pool.left() > 0) throw shared->busy();
    const auto interrupt = std::make_shared<http::Interrupt>();
    const auto registration = stop.on_stop([interrupt] { interrupt->stop(); });
    const auto job = [shared, work, interrupt](async::Waiting&) mutable { return work(shared->store, *interrupt); };
    // How long a server may be silent is libcurl's to watch.
    async::Patience patience;
    patience.after_stop = interrupt_patience;
    patience.stop = stop;
    std::exception_ptr failure;
    if constexpr (std::is_void_v<Value>) {
        try {
            co_await async::run_leaving(shared->pool, job, std::move(patience));
        } catch (...) {
            failure = std::current_exception();
        }
        if (failure) stop.check();
        if (failure) std::rethrow_exception(failure);
    } else {
        std::optional<Value> value;
        try {
            value.emplace(co_await async::run_leaving(shared->pool, job, std::move(patience)));
        } catch (...) {
            failure = std::current_exception();
        }
        if (failure) stop.check();
        if (failure) std::rethrow_exception(failure);
        co_return std::move(*value);
    }
}

// What of an upload has arrived for sure, by name; and a hash of its end, to know it again.
struct SftpCheckpoint {
    std::string name;
    std::uint64_t length = 0;
    std::uint64_t tail = 0;   // bytes before `length` that the hash is of
    std::string tail_sha256;  // hexadecimal
    friend bool operator==(const SftpCheckpoint&, const SftpCheckpoint&) = default;
};
[[nodiscard]] std::string print_checkpoint(const SftpCheckpoint& checkpoint);
// Nothing if it is not one of ours: it names a file to write to.
[[nodiscard]] std::optional<SftpCheckpoint> parse_checkpoint(std::string_view text);

class SftpUpload final : public Upload, public Placing {
  public:
    SftpUpload(const asio::any_io_executor& executor, std::shared_ptr<SftpShared> shared, std::string key,
               Existing existing, async::StopToken stop);
    // Whether the file is there and ends as the checkpoint says: then the upload goes on behind it.
    asio::awaitable<bool> resume(SftpCheckpoint checkpoint, async::StopToken stop);

    [[nodiscard]] std::uint64_t begins_at() const noexcept override { return begins_at_; }
    asio::awaitable<void> write(async::Chunk chunk, async::StopToken stop) override;
    asio::awaitable<Receipt> finish(async::StopToken stop) override;
    [[nodiscard]] bool has_placed() const noexcept override { return *placed_; }
    [[nodiscard]] std::string checkpoint() const override;
    asio::awaitable<void> suspend() override;
    asio::awaitable<void> abort() override;

  private:
    using Piece = std::shared_ptr<std::vector<std::byte>>;
    asio::awaitable<void> flush(async::StopToken stop);
    asio::awaitable<void> idle(async::StopToken stop);
    asio::awaitable<void> end_sending();
    asio::awaitable<void> send(Piece piece, std::uint64_t offset);
    void check() const;

    std::shared_ptr<SftpShared> shared_;
    std::string key_;
    Existing existing_;
    std::uint64_t begins_at_ = 0;
    std::uint64_t closed_ = 0;  // bytes in pieces that are being sent or were
    bool first_try_ = true;     // the file has no bytes but those of `arrived_`
    SftpCheckpoint arrived_;
    std::unique_ptr<LiveUpload> live_;  // the name of it
    async::StopToken last_stop_;        // of the last call
    Piece piece_;
    std::shared_ptr<std::atomic<bool>> placed_ = std::make_shared<std::atomic<bool>>(false);
    bool busy_ = false;
    std::exception_ptr failure_;
    async::StopSource stop_;  // of what is being sent
    async::Event changed_;
    async::TaskGroup tasks_;
};

}  // namespace pgbakd::target
