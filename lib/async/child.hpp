// A child process on the reactor: its output read as it comes, its last error lines kept, its end awaited. Whatever
// happens to the coroutine, the child does not outlive this object.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "async/asio.hpp"
#include "async/stop.hpp"
#include "async/task_group.hpp"
#include "os/process.hpp"

namespace pgbakd::async {

class Child {
  public:
    // How the child is ended: SIGTERM, then SIGKILL after `patience`. So long, too, may what it started outlive it: its
    // output would have no end otherwise.
    static constexpr std::chrono::seconds patience{5};
    static constexpr std::size_t error_lines_kept = 20;

    // `on_error_line` is handed every line of its standard error as it comes, as error_lines() has them; only while
    // this object lives.
    Child(asio::any_io_executor executor, const os::Command& command,
          std::function<void(const std::string&)> on_error_line = {});
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    // SIGKILLs what still runs. finish() or abort() first, so that the reader of its errors is joined.
    ~Child();

    [[nodiscard]] pid_t pid() const noexcept { return child_.pid(); }
    // Bytes of its standard output; 0 at the end. Throws the token's reason when stopped.
    asio::awaitable<std::size_t> read(std::span<std::byte> into, StopToken stop);
    // All of `bytes` into its standard input (os::Command::feed_input), as fast as it reads them. Throws the token's
    // reason when stopped, and program_failed when it reads no more: finish() then tells why.
    asio::awaitable<void> write(std::span<const std::byte> bytes, StopToken stop);
    // The end of its input. A program that is to fail must be aborted instead: it takes this for success.
    void close_input();
    // Waits for its end (and the end of its standard error), after its output was read to the end.
    asio::awaitable<os::Child::Ending> finish(StopToken stop);
    // Ends it: SIGTERM, SIGKILL after `patience`; returns once it is gone. Also after finish(), whatever that said.
    // Never throws.
    asio::awaitable<void> abort();

    // The last lines it wrote to standard error, printable, at most error_lines_kept of at most 1,000 bytes.
    [[nodiscard]] const std::deque<std::string>& error_lines() const noexcept { return error_lines_; }
    [[nodiscard]] std::string error_text() const;  // joined by "; "

  private:
    asio::awaitable<void> collect_errors();
    asio::awaitable<void> end_orphans(StopToken stop);
    asio::awaitable<bool> wait_ended(std::chrono::milliseconds at_most, StopToken stop);
    os::Child::Ending reap();
    void take_line(std::string_view line);

    asio::any_io_executor executor_;
    os::Child child_;
    asio::posix::stream_descriptor output_;
    asio::posix::stream_descriptor errors_;
    asio::local::stream_protocol::socket input_;
    asio::posix::stream_descriptor ended_;
    asio::posix::stream_descriptor leader_;
    StopSource reaping_;
    TaskGroup tasks_;
    bool reaped_ = false;
    std::string partial_line_;
    std::deque<std::string> error_lines_;
    std::function<void(const std::string&)> on_error_line_;
};

struct Captured {
    std::string output;
    os::Child::Ending ending;
    std::string errors;
};
// Runs a short program to its end and returns what it printed; more than `limit` bytes of output is an error.
asio::awaitable<Captured> capture(os::Command command, std::size_t limit, StopToken stop);

}  // namespace pgbakd::async
