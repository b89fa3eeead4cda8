#include <fmt/format.h>

#include <utility>

#include "async/timer.hpp"
#include "target/key.hpp"
#include "target/rclone_remote.hpp"

namespace pgbakd::target {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::chrono::seconds abort_patience{60};

Error exists_already(const std::string& key) {
    return {ErrorCode::conflict, fmt::format("{} exists already", key), "nothing there is ever overwritten"};
}

class RcloneUpload final : public Upload {
  public:
    RcloneUpload(std::shared_ptr<RcloneRemote> remote, std::unique_ptr<async::Child> child, std::string key,
                 std::string path, Existing existing, Assurance assurance)
        : remote_(std::move(remote)),
          child_(std::move(child)),
          key_(std::move(key)),
          path_(std::move(path)),
          existing_(existing),
          assurance_(assurance) {}

    asio::awaitable<void> write(async::Chunk chunk, async::StopToken stop) override {
        std::exception_ptr failure;
        try {
            co_await child_->write(*chunk, stop);
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
        auto entry = co_await remote_->stat(key_, Detail::plain, stop);
        if (!entry || entry->size != sent_)
            throw Error(ErrorCode::corrupt,
                        fmt::format("{} has {} bytes where {} were sent", remote_->place(key_),
                                    entry ? std::to_string(entry->size) : "no", sent_),
                        {}, base::Persistence::passing);
        co_return Receipt{.entry = std::move(*entry), .assurance = assurance_};
    }

    asio::awaitable<void> abort() override {
        co_await child_->abort();
        const async::Deadline deadline(co_await asio::this_coro::executor, {}, abort_patience, "removing an upload");
        try {
            co_await remote_->remove(path_, deadline.token());
        } catch (const Error&) {
            // sweep() finds it.
        }
    }

  private:
    asio::awaitable<void> check_end(async::StopToken stop) {
        const auto ending = co_await child_->finish(std::move(stop));
        if (!ending.good())
            throw rclone_error(fmt::format("rclone rcat of {}", remote_->place(key_)), ending, child_->error_lines());
    }

    std::shared_ptr<RcloneRemote> remote_;
    std::unique_ptr<async::Child> child_;
    std::string key_;
    std::string path_;  // where it is stored until it is complete
    Existing existing_;
    Assurance assurance_;
    std::uint64_t sent_ = 0;
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
    co_return std::make_unique<RcloneUpload>(std::move(remote), std::move(child), std::move(key), std::move(path),
                                             options.existing,
                                             features.checksums ? Assurance::checksum : Assurance::size);
}

}  // namespace pgbakd::target
