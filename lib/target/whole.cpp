#include "target/whole.hpp"

#include <fmt/format.h>

#include "base/units.hpp"

namespace pgbakd::target {

asio::awaitable<Receipt> put_text(Target& target, std::string key, std::string text, PutOptions options,
                                  async::StopToken stop) {
    options.size = text.size();
    const auto bytes = std::as_bytes(std::span(text));
    const async::Chunk chunk = std::make_shared<const std::vector<std::byte>>(bytes.begin(), bytes.end());
    const auto upload = co_await target.put(std::move(key), std::move(options), stop);
    std::exception_ptr failure;
    Receipt receipt;
    try {
        if (!chunk->empty()) co_await upload->write(chunk, stop);
        receipt = co_await upload->finish(stop);
    } catch (...) {
        failure = std::current_exception();
    }
    if (failure) {
        co_await upload->abort();
        std::rethrow_exception(failure);
    }
    co_return receipt;
}

asio::awaitable<std::string> get_text(Target& target, std::string key, std::size_t limit, async::StopToken stop) {
    TextSink sink(limit);
    // One byte more than allowed tells a larger object from one of just the limit.
    const Range range{.offset = 0, .length = limit + 1};
    co_await target.get(std::move(key), range, sink, std::move(stop));
    co_return sink.text();
}

asio::awaitable<void> TextSink::write(std::span<const std::byte> bytes, async::StopToken stop) {
    stop.check();
    if (bytes.size() > limit_ - text_.size())
        throw base::Error(base::ErrorCode::corrupt,
                          fmt::format("the object is larger than {}", base::format_size(limit_)));
    text_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    co_return;
}

}  // namespace pgbakd::target
