// The libpq handle of a Session and its waits: one address, one statement at a time, nothing that blocks the reactor.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "async/asio.hpp"
#include "async/stop.hpp"
#include "postgres/failure.hpp"
#include "postgres/resolve.hpp"
#include "postgres/session.hpp"

struct pg_conn;
struct pg_result;

namespace pgbakd::postgres {

[[nodiscard]] Place place_of(const ConnectOptions& options);
// libpq's "options": "-c search_path= -c …", the session's own settings last; blanks and backslashes escaped.
[[nodiscard]] std::string startup_options(const ConnectOptions& options);

class Connection {
  public:
    // Answers beyond these are refused: what is asked here describes a database, it does not read one.
    static constexpr std::size_t most_rows = 1'000'000;
    static constexpr std::size_t most_bytes = 256U << 20U;

    Connection(const asio::any_io_executor& executor, Place place);
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    ~Connection();

    // `options` and `address` must outlive the call. Errors as connection_failed() makes them.
    asio::awaitable<void> open(const ConnectOptions& options, const Address& address, async::StopToken stop);
    // Sends a statement and reads its whole answer. Stopped in the middle, it leaves the statement running: drain() or
    // close() comes next.
    asio::awaitable<Rows> query(std::string sql, std::vector<std::string> parameters, async::StopToken stop);
    // For a command that begins a COPY OUT: sends it and reads what comes before, one element for each set of rows.
    asio::awaitable<std::vector<Rows>> begin_copy(std::string command, async::StopToken stop);
    // The next message of the COPY, valid until the next call; empty at its end. Stopped in the middle, only close() is
    // allowed.
    asio::awaitable<std::span<const std::byte>> next_copy_message(async::StopToken stop);
    // After the end: the sets of rows that follow.
    asio::awaitable<std::vector<Rows>> end_copy(async::StopToken stop);
    // Told of warnings of the server from now on, without their severity; they are dropped else.
    std::function<void(const std::string&)> on_warning;

    // Reads what is left of an answer and drops it, so that the next statement can be sent.
    asio::awaitable<void> drain(async::StopToken stop);
    // Without a word to the server beyond "terminate"; a statement under way runs on there.
    void close() noexcept;

    [[nodiscard]] bool is_open() const noexcept { return handle_ != nullptr; }
    [[nodiscard]] bool is_busy() const noexcept;  // a statement is under way
    [[nodiscard]] int server_version() const noexcept;
    [[nodiscard]] int backend_pid() const noexcept;
    [[nodiscard]] std::string parameter(const char* name) const;  // as the server reported it

  private:
    struct CloseHandle {
        void operator()(pg_conn* handle) const noexcept;
    };
    struct ClearResult {
        void operator()(pg_result* result) const noexcept;
    };
    struct FreeMemory {
        void operator()(char* memory) const noexcept;
    };
    using Result = std::unique_ptr<pg_result, ClearResult>;

    static void take_notice(void* connection, const pg_result* notice);

    void watch_socket();
    asio::awaitable<void> wait(asio::posix::stream_descriptor::wait_type type, async::StopToken stop);
    asio::awaitable<void> flush(async::StopToken stop);
    asio::awaitable<Result> next_result(async::StopToken stop);
    asio::awaitable<std::vector<Rows>> result_sets(async::StopToken stop);
    asio::awaitable<void> fail(base::Error error, async::StopToken stop);
    void send(const std::string& sql, const std::vector<std::string>& parameters);
    [[nodiscard]] std::string error_text() const;
    [[noreturn]] void lose();

    Place place_;
    std::unique_ptr<char, FreeMemory> copy_message_;
    std::unique_ptr<pg_conn, CloseHandle> handle_;
    asio::posix::stream_descriptor socket_;  // a duplicate of libpq's: both close their own
};

}  // namespace pgbakd::postgres
