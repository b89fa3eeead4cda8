#include "target/rclone_stall.hpp"

#include <fmt/format.h>

#include <charconv>
#include <fstream>
#include <utility>

#include "base/units.hpp"

namespace pgbakd::target {
namespace {

using Clock = std::chrono::steady_clock;

// Less is the housekeeping of a program that waits: its timers wake its threads by a few bytes each.
constexpr std::uint64_t little = 16 << 10;
constexpr int looks = 8;  // within the limit

}  // namespace

std::uint64_t bytes_moved_by(pid_t pid) {
    std::ifstream file(fmt::format("/proc/{}/io", pid));
    std::uint64_t sum = 0;
    std::string name;
    for (std::uint64_t value = 0; file >> name >> value;)
        if (name == "rchar:" || name == "wchar:") sum += value;
    return sum;
}

struct RcloneStall::State {
    State(const asio::any_io_executor& executor, const async::StopToken& parent) : source(parent), timer(executor) {}
    async::StopSource source;
    asio::steady_timer timer;
    std::chrono::milliseconds limit{0};
    pid_t pid = 0;
    std::string what;
    Clock::time_point last = Clock::now();
    std::uint64_t bytes = 0;  // by then; the first look tells nothing yet
};

RcloneStall::RcloneStall(const asio::any_io_executor& executor, const async::StopToken& parent,
                         std::chrono::milliseconds limit, pid_t pid, std::string what)
    : state_(std::make_shared<State>(executor, parent)) {
    state_->limit = limit;
    state_->pid = pid;
    state_->what = std::move(what);
    look_later(state_);
}

RcloneStall::~RcloneStall() {
    state_->timer.cancel();
}

async::StopToken RcloneStall::token() const {
    return state_->source.token();
}

void RcloneStall::moved() noexcept {
    state_->last = Clock::now();
}

void RcloneStall::look_later(const std::shared_ptr<State>& state) {
    state->timer.expires_after(state->limit / looks);
    state->timer.async_wait([weak = std::weak_ptr(state)](const boost::system::error_code& failure) {
        const auto alive = weak.lock();
        if (failure || !alive) return;
        const auto bytes = bytes_moved_by(alive->pid);
        const auto now = Clock::now();
        if (bytes >= alive->bytes + little) {
            alive->bytes = bytes;
            alive->last = now;
        }
        if (now - alive->last < alive->limit) return look_later(alive);
        alive->source.stop(
            {base::ErrorCode::timed_out,
             fmt::format("{} has moved nothing for {}", alive->what, base::format_duration(alive->limit)),
             "is rclone stopped, or does it wait for a disk that does not answer?", base::Persistence::passing});
    });
}

}  // namespace pgbakd::target
