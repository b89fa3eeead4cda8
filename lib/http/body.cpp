#include "http/body.hpp"

#include <utility>

namespace pgbakd::http {

void BodySink::begin(const Response& /*head*/) {}

MemoryBody::MemoryBody(std::vector<async::Chunk> chunks) : chunks_(std::move(chunks)) {
    for (const auto& chunk : chunks_) length_ += chunk->size();
}

MemoryBody::MemoryBody(std::string_view text) : length_(text.size()) {
    const auto bytes = std::as_bytes(std::span(text));
    chunks_.push_back(std::make_shared<const std::vector<std::byte>>(bytes.begin(), bytes.end()));
}

asio::awaitable<std::span<const std::byte>> MemoryBody::next(async::StopToken /*stop*/) {
    while (at_ < chunks_.size()) {
        const auto& chunk = *chunks_[at_++];
        if (!chunk.empty()) co_return std::span<const std::byte>(chunk);
    }
    co_return std::span<const std::byte>();
}

bool MemoryBody::rewind() {
    at_ = 0;
    return true;
}

}  // namespace pgbakd::http
