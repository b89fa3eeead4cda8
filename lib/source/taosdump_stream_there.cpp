#include "source/taosdump_stream_there.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "source/client_failure.hpp"
#include "source/taosdump_there.hpp"

namespace pgbakd::source {
namespace {

// It holds a few lines for the one database.
constexpr std::size_t longest_result = std::size_t{1} << 20U;
constexpr std::size_t longest_head = 1000;
constexpr std::size_t step = std::size_t{64} << 10U;

base::Error ended_well_but(const std::string& what, std::string_view fact) {
    return {base::ErrorCode::program_failed,
            fmt::format("{} ended well, but {}", what, fact),
            {},
            base::Persistence::passing};
}

}  // namespace

TaosdumpStreamThere::TaosdumpStreamThere(asio::any_io_executor executor, Settings settings)
    : settings_(std::move(settings)),
      messages_(settings_.password),
      child_(std::move(executor), settings_.command, [this](const std::string& line) { messages_.take(line); }) {}

asio::awaitable<void> TaosdumpStreamThere::begun(async::StopToken stop) {
    stop.check();
    co_return;
}

asio::awaitable<std::size_t> TaosdumpStreamThere::read(std::span<std::byte> into, async::StopToken stop) {
    stop.check();
    if (!rows_) co_await wait_for_dump(stop);
    if (offset_ < begin_.size()) {
        const auto count = std::min(into.size(), begin_.size() - offset_);
        std::memcpy(into.data(), begin_.data() + offset_, count);
        offset_ += count;
        co_return count;
    }
    co_return co_await child_.read(into, stop);
}

asio::awaitable<void> TaosdumpStreamThere::read_more(async::StopToken stop) {
    std::vector<std::byte> buffer(step);
    const auto count = co_await child_.read(buffer, stop);
    if (count == 0) {
        co_await end(stop);
        const auto error = ended_well_but(settings_.what, "without its result");
        throw base::Error(error);
    }
    begin_.append(reinterpret_cast<const char*>(buffer.data()), count);
}

asio::awaitable<void> TaosdumpStreamThere::wait_for_dump(async::StopToken stop) {
    auto line_end = begin_.find('\n');
    while (line_end == std::string::npos && begin_.size() < longest_head) {
        co_await read_more(stop);
        line_end = begin_.find('\n');
    }
    const auto bytes = parse_dump_head(std::string_view(begin_).substr(0, std::min(line_end, longest_head)));
    if (!bytes) {
        const auto error = ended_well_but(settings_.what, bytes.error().message());
        throw base::Error(error);
    }
    if (*bytes > longest_result) {
        const auto error = ended_well_but(settings_.what, "its result file is too long");
        throw base::Error(error);
    }
    while (begin_.size() < line_end + 1 + *bytes) co_await read_more(stop);
    const auto result =
        parse_taosdump_result(std::string_view(begin_).substr(line_end + 1, *bytes), settings_.database);
    if (!result) {
        const auto error = ended_well_but(settings_.what, result.error().message());
        throw base::Error(error);
    }
    rows_ = *result;
    offset_ = line_end + 1 + *bytes;
}

asio::awaitable<void> TaosdumpStreamThere::end(async::StopToken stop) {
    const auto ended = co_await child_.finish(std::move(stop));
    const auto ending = ending_there(settings_.client, ended);
    const bool good = ending.good() && !messages_.failed();
    if (good) co_return;
    const auto words = child_.error_text();
    if (!ending.good())
        if (const auto failure = client_failure(settings_.client, settings_.what, ending, words))
            throw base::Error(*failure);
    const auto error = taosdump_failure(settings_.what, ending.text(), ending.signal != 0, messages_);
    throw base::Error(error);
}

asio::awaitable<void> TaosdumpStreamThere::finish(async::StopToken stop) {
    stop.check();
    co_await end(stop);
    const auto told = messages_.rows();
    if (!told || !rows_ || *told == *rows_) co_return;
    const auto fact = fmt::format("said {} rows, and {} in its result file", *told, *rows_);
    const auto error = ended_well_but(settings_.what, fact);
    throw base::Error(error);
}

asio::awaitable<void> TaosdumpStreamThere::abort() {
    co_await child_.abort();
}

}  // namespace pgbakd::source
