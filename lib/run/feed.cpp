#include "run/feed.hpp"

#include <algorithm>

#include "async/timer.hpp"

namespace pgbakd::run {

BufferFeed::BufferFeed(const base::Clock& clock, std::vector<std::shared_ptr<offsite::GrowingBuffer>> buffers,
                       std::shared_ptr<async::Event> taken, std::function<base::Error()> why)
    : clock_(clock), taken_(std::move(taken)), why_(std::move(why)), began_(clock.steady()) {
    for (auto& buffer : buffers) readers_.push_back({std::move(buffer)});
}

void BufferFeed::push(const async::Chunk& chunk) {
    for (const auto& reader : readers_) reader.buffer->push(chunk);
}

std::chrono::nanoseconds BufferFeed::patience_left(const Reader& reader) const {
    const std::chrono::nanoseconds elapsed = clock_.steady() - began_;
    return std::max<std::chrono::nanoseconds>(patience - reader.cost, elapsed - 2 * reader.cost);
}

asio::awaitable<void> BufferFeed::wait_room(async::StopToken stop) {
    for (;;) {
        std::vector<Reader*> live;
        std::vector<Reader*> slow;
        for (auto& reader : readers_)
            if (!reader.buffer->is_given_up()) live.push_back(&reader);
        if (live.empty() && why_) throw base::Error(why_());
        if (live.empty()) throw base::Error(base::ErrorCode::unreachable, "no target takes the dump any more");
        std::copy_if(live.begin(), live.end(), std::back_inserter(slow),
                     [](const Reader* reader) { return reader->buffer->is_full(); });
        if (slow.empty()) co_return;
        const bool somebody_waits = slow.size() < live.size();
        std::optional<std::chrono::nanoseconds> at_most;
        if (somebody_waits)
            for (const auto* reader : slow) at_most = std::min(at_most.value_or(patience), patience_left(*reader));
        const auto began = clock_.steady();
        co_await wait_taken(at_most, stop);
        if (!somebody_waits) continue;
        const auto waited = clock_.steady() - began;
        for (auto* reader : slow) {
            reader->cost += waited;
            if (patience_left(*reader).count() > 0) continue;
            reader->buffer->leave_behind({base::ErrorCode::timed_out,
                                          "it takes the dump less than half as fast as the others do",
                                          "without room on this host (keep_local: never) the others would wait for it",
                                          base::Persistence::lasting});
        }
    }
}

asio::awaitable<void> BufferFeed::wait_taken(std::optional<std::chrono::nanoseconds> at_most, async::StopToken stop) {
    if (at_most)
        co_await async::wait_at_most(*taken_, *at_most, stop);
    else
        co_await taken_->wait(stop);
}

void BufferFeed::complete(std::uint64_t bytes, const std::string& sha256) {
    for (const auto& reader : readers_) reader.buffer->complete(bytes, sha256);
}

void BufferFeed::abandon() {
    for (const auto& reader : readers_) reader.buffer->abandon();
}

}  // namespace pgbakd::run
