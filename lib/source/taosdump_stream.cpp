#include "source/taosdump_stream.hpp"

#include <fmt/format.h>

#include <utility>

#include "os/file.hpp"

namespace pgbakd::source {
namespace {

// It holds a few lines for the one database.
constexpr std::size_t longest_result = std::size_t{1} << 20U;

// What the result file says, if it fits what the program itself said. Blocks.
std::uint64_t rows_by_result(const std::filesystem::path& path, const TaosdumpStream::Settings& settings,
                             std::optional<std::uint64_t> told) {
    const auto wrong = [&settings](std::string_view fact) {
        return base::Error(base::ErrorCode::program_failed, fmt::format("{} ended well, but {}", settings.what, fact),
                           {}, base::Persistence::passing);
    };
    if (!os::file_status(path)) throw base::Error(wrong("left no result file"));
    const auto rows = parse_taosdump_result(os::read_file(path, longest_result), settings.database);
    if (!rows) throw base::Error(wrong(rows.error().message()));
    if (told && *told != *rows)
        throw base::Error(wrong(fmt::format("said {} rows, and {} in its result file", *told, *rows)));
    return *rows;
}

}  // namespace

TaosdumpStream::TaosdumpStream(asio::any_io_executor executor, async::Pool& pool, Settings settings)
    : pool_(pool),
      settings_(std::move(settings)),
      directory_(pool, settings_.command.working_directory),
      messages_(settings_.password),
      child_(std::move(executor), settings_.command, [this](const std::string& line) { messages_.take(line); }) {}

// It locks nothing.
asio::awaitable<void> TaosdumpStream::begun(async::StopToken stop) {
    stop.check();
    co_return;
}

asio::awaitable<std::size_t> TaosdumpStream::read(std::span<std::byte> into, async::StopToken stop) {
    stop.check();
    if (!directory_.is_open()) co_await wait_for_dump(stop);
    co_return co_await directory_.read(into, stop);
}

asio::awaitable<void> TaosdumpStream::wait_for_dump(async::StopToken stop) {
    co_await hand_over_password(stop);
    const auto ending = co_await child_.finish(stop);
    check_ending(ending);
    const auto look = [path = directory_.path() / result_name, settings = &settings_, told = messages_.rows()] {
        return rows_by_result(path, *settings, told);
    };
    rows_ = co_await async::run_blocking(pool_, look);
    const auto output = directory_.path() / output_name;
    const std::string first = "dbs.sql";
    const std::string maker = "taosdump";
    co_await directory_.open(output, first, maker);
}

asio::awaitable<void> TaosdumpStream::hand_over_password(async::StopToken stop) {
    if (!settings_.command.feed_input) co_return;
    const base::Secret line(std::string(settings_.password.reveal()) + "\n");
    std::exception_ptr refused;
    try {
        co_await child_.write(std::as_bytes(std::span(line.reveal())), stop);
    } catch (...) {
        refused = std::current_exception();
    }
    stop.check();
    // It has ended before it has asked: how it ended is the better story.
    if (refused && base::to_error(refused).code() != base::ErrorCode::program_failed) std::rethrow_exception(refused);
    child_.close_input();
}

void TaosdumpStream::check_ending(const os::Child::Ending& ending) const {
    if (ending.good() && !messages_.failed()) return;
    const auto& directory = directory_.path();
    const auto error = taosdump_failure(settings_.what, ending.text(), ending.signal != 0, messages_);
    if (error.code() != base::ErrorCode::no_space) throw base::Error(error);
    // Where, and what is left there, is known here.
    throw base::Error(os::with_space_left(error.during("writing " + directory.native()), directory));
}

asio::awaitable<void> TaosdumpStream::finish(async::StopToken stop) {
    stop.check();
    co_await directory_.remove();
}

asio::awaitable<void> TaosdumpStream::abort() {
    co_await child_.abort();
    co_await directory_.abandon();
}

}  // namespace pgbakd::source
