// COPY OUT over a Connection: message by message, with no more in memory than libpq has read of the socket.
#include <libpq-fe.h>

#include <optional>
#include <utility>

#include "postgres/connection.hpp"
#include "postgres/results.hpp"

namespace pgbakd::postgres {

asio::awaitable<std::vector<Rows>> Connection::result_sets(async::StopToken stop) {
    std::vector<Rows> sets;
    std::optional<base::Error> failed;
    bool in_set = false;
    std::size_t rows = 0;
    std::size_t bytes = 0;
    while (!failed) {
        const Result result = co_await next_result(stop);
        if (!result) break;
        const auto status = PQresultStatus(result.get());
        if (status == PGRES_COPY_OUT) break;
        if (status == PGRES_SINGLE_TUPLE || status == PGRES_TUPLES_OK) {
            if (!in_set) sets.emplace_back();
            bytes += append_rows(sets.back(), result.get());
            ++rows;
            in_set = status == PGRES_SINGLE_TUPLE;
        } else if (status != PGRES_COMMAND_OK) {
            failed = statement_failed(place_, answer_of(result.get()));
        }
        if (rows <= most_rows && bytes <= most_bytes) continue;
        close();
        throw base::Error(base::ErrorCode::unsupported, place_.text() + " gave a longer answer than expected");
    }
    if (failed) co_await fail(*failed, stop);
    co_return sets;
}

asio::awaitable<std::vector<Rows>> Connection::begin_copy(std::string command, async::StopToken stop) {
    stop.check();
    if (!is_open()) throw connection_lost(place_, "it was closed before");
    if (PQsendQuery(handle_.get(), command.c_str()) == 0) lose();
    // Also of what comes behind the COPY: no answer fills the memory before it is noticed.
    PQsetSingleRowMode(handle_.get());
    co_await flush(stop);
    auto sets = co_await result_sets(stop);
    co_return sets;
}

asio::awaitable<std::span<const std::byte>> Connection::next_copy_message(async::StopToken stop) {
    if (!is_open()) throw connection_lost(place_, "it was closed before");
    for (;;) {
        char* message = nullptr;
        const int length = PQgetCopyData(handle_.get(), &message, 1);
        copy_message_.reset(message);
        if (length > 0) co_return std::as_bytes(std::span<const char>(message, static_cast<std::size_t>(length)));
        if (length == -1) break;
        if (length < 0) lose();
        // Only when there is no whole message any more: so libpq's buffer stays as large as a message.
        co_await wait(asio::posix::stream_descriptor::wait_read, stop);
        if (PQconsumeInput(handle_.get()) == 0) lose();
    }
    co_return std::span<const std::byte>();
}

asio::awaitable<std::vector<Rows>> Connection::end_copy(async::StopToken stop) {
    auto sets = co_await result_sets(stop);
    co_return sets;
}

}  // namespace pgbakd::postgres
