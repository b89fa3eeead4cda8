#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "target/key.hpp"
#include "target/live_upload.hpp"
#include "target/placing.hpp"
#include "target/rclone_remote.hpp"
#include "target/rclone_stall.hpp"
#include "target/tidying.hpp"

namespace pgbakd::target {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::chrono::seconds abort_patience{60};
constexpr std::size_t piece_bytes = 64 << 10;  // that rclone takes one of them is a sign of life

Error exists_already(const std::string& key) {
    return {ErrorCode::conflict, fmt::format("{} exists already", key), "nothing there is ever overwritten"};
}

class RcloneUpload final : public Upload, public Placing {
  public:
    RcloneUpload(std::shared_ptr<RcloneRemote> remote, std::unique_ptr<async::Child> child, std::string key,
                 std::string path, Existing existing, Assurance assurance, async::StopToken stop)
        : remote_(std::move(remote)),
          child_(std::move(child)),
          key_(std::move(key)),
          path_(std::move(path)),
          existing_(existing),
          assurance_(assurance),
          live_(path_.substr(path_.rfind('/') + 1)),
          last_stop_(std::move(stop)) {}

    asio::awaitable<void> write(async::Chunk chunk, async::StopToken stop) override {
        last_stop_ = stop;
        std::exception_ptr failure;
        try {
            const auto executor = co_await asio::this_coro::executor;
            RcloneStall stall(executor, stop, remote_->stall_timeout(false), child_->pid(), what());
            for (std::span<const std::byte> rest(*chunk); !rest.empty(); stall.moved()) {
                const auto piece = rest.first(std::min(rest.size(), piece_bytes));
                co_await child_->write(piece, stall.token());
                rest = rest.subspan(piece.size());
            }
        } catch (const Error& error) {
            if (error.code() != ErrorCode::program_failed) throw;
            failure = std::current_exception();
        }
        sent_ += chunk->size();
        if (!failure) co_return;
        // It reads no more: why, it tells at its end.
        co_await check_end(std::move(stop));
        std::rethrow_exception(failure);
    }

    asio::awaitable<Receipt> finish(async::StopToken stop) override {
        last_stop_ = stop;
        stop.check();
        child_->close_input();
        co_await check_end(stop);
        if (path_ != key_) {
            if (existing_ == Existing::refuse) {
                const auto found = co_await remote_->stat(key_, Detail::plain, stop);
                if (found) throw exists_already(key_);
            }
            co_await remote_->move(path_, key_, existing_, stop);
        }
        // Where another came in between, --ignore-existing has left ours where it was.
        placed_ = path_ == key_ || existing_ == Existing::replace;
        auto entry = co_await remote_->stat(key_, Detail::plain, stop);
        if (!entry || entry->size != sent_) {
            if (!placed_) {
                const auto left = co_await remote_->stat(path_, Detail::plain, stop);
                if (left) throw exists_already(key_);
                placed_ = true;
            }
            throw Error(ErrorCode::corrupt,
                        fmt::format("{} has {} bytes where {} were sent", remote_->place(key_),
                                    entry ? std::to_string(entry->size) : "no", sent_),
                        {}, base::Persistence::passing);
        }
        co_return Receipt{.entry = std::move(*entry), .assurance = assurance_};
    }

    [[nodiscard]] bool has_placed() const noexcept override { return placed_; }

    asio::awaitable<void> abort() override {
        co_await child_->abort();
        const auto executor = co_await asio::this_coro::executor;
        const TidyingDeadline deadline(executor, last_stop_, abort_patience, "removing an upload");
        try {
            co_await remote_->remove(path_, deadline.token());
        } catch (const Error&) {
            // sweep() finds it.
        }
    }

  private:
    asio::awaitable<void> check_end(async::StopToken stop) {
        const auto executor = co_await asio::this_coro::executor;
        const RcloneStall stall(executor, stop, remote_->stall_timeout(true), child_->pid(), what());
        const auto ending = co_await child_->finish(stall.token());
        if (!ending.good()) throw rclone_error(what(), ending, child_->error_lines());
    }
    [[nodiscard]] std::string what() const { return fmt::format("rclone rcat of {}", remote_->place(key_)); }

    std::shared_ptr<RcloneRemote> remote_;
    std::unique_ptr<async::Child> child_;
    std::string key_;
    std::string path_;  // where it is stored until it is complete
    Existing existing_;
    Assurance assurance_;
    LiveUpload live_;
    async::StopToken last_stop_;  // of the last call
    std::uint64_t sent_ = 0;
    bool placed_ = false;
};

}  // namespace

asio::awaitable<std::unique_ptr<Upload>> begin_rclone_upload(std::shared_ptr<RcloneRemote> remote, std::string key,
                                                             PutOptions options, async::StopToken stop) {
    const auto features = co_await remote->features(stop);
    if (options.existing == Existing::refuse) {
        const auto found = co_await remote->stat(key, Detail::plain, stop);
        if (found) throw exists_already(key);
    }
    auto path = features.moves ? fmt::format("{}/{}", uploads_folder, upload_name()) : key;
    auto child = co_await remote->rcat(path);
    const auto assurance = features.checksums ? Assurance::checksum : Assurance::size;
    co_return std::make_unique<RcloneUpload>(std::move(remote), std::move(child), std::move(key), std::move(path),
                                             options.existing, assurance, std::move(stop));
}

}  // namespace pgbakd::target
