#include "source/files_stream.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <utility>

#include "async/leaving.hpp"

namespace pgbakd::source {
namespace {

using base::Error;
using base::ErrorCode;

// For the step that is under way when a stop comes: it ends in that time unless the disk hangs.
constexpr std::chrono::seconds after_stop{1};

class Busy {
  public:
    explicit Busy(std::atomic<bool>& flag) : flag_(flag) { flag_.store(true); }
    Busy(const Busy&) = delete;
    Busy& operator=(const Busy&) = delete;
    ~Busy() { flag_.store(false); }

  private:
    std::atomic<bool>& flag_;
};

}  // namespace

FilesStream::FilesStream(async::Pool& pool, FilesOptions options, FilesHooks hooks)
    : pool_(pool),
      reader_(std::make_shared<FilesReader>(std::move(options), std::move(hooks))),
      busy_(std::make_shared<std::atomic<bool>>(false)) {}

asio::awaitable<void> FilesStream::begun(async::StopToken stop) {
    stop.check();
    co_return;
}

asio::awaitable<std::size_t> FilesStream::read(std::span<std::byte> into, async::StopToken stop) {
    stop.check();
    if (offset_ == piece_.size() && reader_) co_await next_piece(stop);
    const auto count = std::min(into.size(), piece_.size() - offset_);
    if (count > 0) std::memcpy(into.data(), piece_.data() + offset_, count);
    offset_ += count;
    co_return count;
}

asio::awaitable<void> FilesStream::next_piece(async::StopToken stop) {
    stop.check();
    const auto cancelling = stop.on_stop([reader = reader_] { reader->cancel(); });
    const auto next = [reader = reader_, busy = busy_](async::Waiting&) {
        const Busy while_at_work(*busy);
        return reader->next();
    };
    async::Patience patience{.what = "reading files", .stall = {}, .after_stop = after_stop, .stop = stop};
    try {
        piece_ = co_await async::run_leaving(pool_, next, std::move(patience));
    } catch (const Error&) {
        stop.check();  // then that is the reason, whatever the reader said
        throw;
    }
    stop.check();
    offset_ = 0;
    if (!piece_.empty()) co_return;
    report_ = reader_->report();
    reader_.reset();
}

asio::awaitable<void> FilesStream::finish(async::StopToken stop) {
    stop.check();
    if (report_.members() == 0 && report_.failures() > 0)
        throw Error(ErrorCode::io_failed, "nothing could be stored: " + report_.lines().front());
    co_return;
}

asio::awaitable<void> FilesStream::abort() {
    if (!reader_) co_return;
    reader_->cancel();
    // Closing files hangs where reading them does, so it is done on the pool: by what was left behind there, or now.
    const auto reader = std::exchange(reader_, nullptr);
    if (busy_->load()) co_return;
    const auto close = [reader](async::Waiting&) { reader->close(); };
    async::Patience patience{.what = "closing files", .stall = after_stop, .after_stop = {}, .stop = {}};
    std::exception_ptr ignored;
    try {
        co_await async::run_leaving(pool_, close, std::move(patience));
    } catch (const Error&) {
        ignored = std::current_exception();
    }
}

}  // namespace pgbakd::source
