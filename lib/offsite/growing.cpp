#include "offsite/growing.hpp"

#include <algorithm>
#include <utility>

namespace pgbakd::offsite {

void Growing::grown_to(std::uint64_t bytes) {
    bytes_ = std::max(bytes_, bytes);
    changed_.notify();
}

void Growing::complete(std::uint64_t bytes, std::string sha256) {
    bytes_ = bytes;
    sha256_ = std::move(sha256);
    state_ = State::complete;
    changed_.notify();
}

void Growing::abandon() {
    if (state_ == State::growing) state_ = State::abandoned;
    changed_.notify();
}

void Growing::withdraw() {
    state_ = State::abandoned;
    changed_.notify();
}

void Growing::check() const {
    if (state_ == State::abandoned)
        throw base::Error(base::ErrorCode::cancelled, name_ + " was given up while it was written");
}

asio::awaitable<std::uint64_t> Growing::wait_beyond(std::uint64_t offset, async::StopToken stop) {
    check();
    while (bytes_ <= offset && state_ == State::growing) {
        co_await changed_.wait(stop);
        check();
    }
    co_return bytes_;
}

asio::awaitable<std::uint64_t> Growing::wait_complete(async::StopToken stop) {
    check();
    while (state_ == State::growing) {
        co_await changed_.wait(stop);
        check();
    }
    co_return bytes_;
}

}  // namespace pgbakd::offsite
