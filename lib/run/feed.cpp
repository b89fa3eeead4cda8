#include "run/feed.hpp"

#include <algorithm>

namespace pgbakd::run {

void BufferFeed::push(const async::Chunk& chunk) {
    for (const auto& buffer : buffers_) buffer->push(chunk);
}

asio::awaitable<void> BufferFeed::wait_room(async::StopToken stop) {
    for (const auto& buffer : buffers_) co_await buffer->wait_room(stop);
    const auto given_up = [](const auto& buffer) { return buffer->is_given_up(); };
    if (!std::all_of(buffers_.begin(), buffers_.end(), given_up)) co_return;
    throw base::Error(base::ErrorCode::unreachable, "no target takes the dump any more");
}

void BufferFeed::complete(std::uint64_t bytes, const std::string& sha256) {
    for (const auto& buffer : buffers_) buffer->complete_as(bytes, sha256);
}

void BufferFeed::abandon() {
    for (const auto& buffer : buffers_) buffer->abandon();
}

}  // namespace pgbakd::run
