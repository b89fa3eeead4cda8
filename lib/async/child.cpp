#include "async/child.hpp"

#include <fcntl.h>

#include <cerrno>
#include <csignal>
#include <utility>

#include "async/timer.hpp"
#include "base/text.hpp"

namespace pgbakd::async {
namespace {

asio::posix::stream_descriptor adopt(const asio::any_io_executor& executor, os::Descriptor& descriptor) {
    return descriptor ? asio::posix::stream_descriptor(executor, descriptor.release())
                      : asio::posix::stream_descriptor(executor);
}

asio::local::stream_protocol::socket adopt_socket(const asio::any_io_executor& executor, os::Descriptor& descriptor) {
    asio::local::stream_protocol::socket socket(executor);
    if (descriptor) socket.assign(asio::local::stream_protocol(), descriptor.release());
    return socket;
}

// The pidfd stays with os::Child, which needs it to reap; Asio watches a copy.
asio::posix::stream_descriptor watch(const asio::any_io_executor& executor, const os::Descriptor& descriptor) {
    const int copy = fcntl(descriptor.get(), F_DUPFD_CLOEXEC, 0);
    if (copy < 0) throw base::error_from_errno(errno, "duplicating a descriptor");
    return asio::posix::stream_descriptor(executor, copy);
}

}  // namespace

Child::Child(asio::any_io_executor executor, const os::Command& command,
             std::function<void(const std::string&)> on_error_line)
    : executor_(executor),
      child_(os::Child::spawn(command)),
      output_(adopt(executor, child_.output())),
      errors_(adopt(executor, child_.errors())),
      input_(adopt_socket(executor, child_.input())),
      ended_(watch(executor, child_.pidfd())),
      leader_(watch(executor, child_.pidfd())),
      tasks_(std::move(executor)),
      on_error_line_(std::move(on_error_line)) {
    tasks_.spawn(collect_errors());
    tasks_.spawn(end_orphans(reaping_.token()));
}

Child::~Child() {
    child_.signal(SIGKILL);
}

asio::awaitable<std::size_t> Child::read(std::span<std::byte> into, StopToken stop) {
    stop.check();
    const auto registration = stop.on_stop([this] { output_.cancel(); });
    boost::system::error_code failure;
    const auto count = co_await output_.async_read_some(asio::buffer(into.data(), into.size()),
                                                        asio::redirect_error(asio::use_awaitable, failure));
    stop.check();
    if (failure == asio::error::eof) co_return 0;
    if (failure) throw base::error_from_errno(failure.value(), "reading the output of a program");
    co_return count;
}

asio::awaitable<void> Child::write(std::span<const std::byte> bytes, StopToken stop) {
    stop.check();
    const auto registration = stop.on_stop([this] { input_.cancel(); });
    while (!bytes.empty()) {
        boost::system::error_code failure;
        const auto count = co_await input_.async_write_some(asio::buffer(bytes.data(), bytes.size()),
                                                            asio::redirect_error(asio::use_awaitable, failure));
        stop.check();
        if (failure == asio::error::broken_pipe || failure == asio::error::connection_reset)
            throw base::Error(base::ErrorCode::program_failed, "the program stopped reading its input");
        if (failure) throw base::error_from_errno(failure.value(), "writing the input of a program");
        bytes = bytes.subspan(count);
    }
}

void Child::close_input() {
    boost::system::error_code ignored;
    input_.close(ignored);
}

asio::awaitable<void> Child::collect_errors() {
    std::array<char, 4096> buffer{};
    for (;;) {
        boost::system::error_code failure;
        const auto count =
            co_await errors_.async_read_some(asio::buffer(buffer), asio::redirect_error(asio::use_awaitable, failure));
        if (failure) break;
        partial_line_.append(buffer.data(), count);
        for (auto end = partial_line_.find('\n'); end != std::string::npos; end = partial_line_.find('\n')) {
            take_line(std::string_view(partial_line_).substr(0, end));
            partial_line_.erase(0, end + 1);
        }
        if (partial_line_.size() > 4096) partial_line_.resize(4096);
    }
    take_line(partial_line_);
    partial_line_.clear();
}

asio::awaitable<void> Child::end_orphans(StopToken stop) {
    const auto registration = stop.on_stop([this] { leader_.cancel(); });
    boost::system::error_code failure;
    co_await leader_.async_wait(asio::posix::stream_descriptor::wait_read,
                                asio::redirect_error(asio::use_awaitable, failure));
    std::exception_ptr reaped;
    try {
        co_await sleep_for(patience, stop);
    } catch (const base::Error&) {
        reaped = std::current_exception();
    }
    if (!reaped) child_.signal(SIGKILL);
}

void Child::take_line(std::string_view line) {
    const auto trimmed = base::trim(line);
    if (trimmed.empty()) return;
    error_lines_.push_back(base::clamp_utf8(base::printable(trimmed), 1000));
    if (on_error_line_) on_error_line_(error_lines_.back());
    if (error_lines_.size() > error_lines_kept) error_lines_.pop_front();
}

std::string Child::error_text() const {
    std::string text;
    for (const auto& line : error_lines_) {
        if (!text.empty()) text += "; ";
        text += line;
    }
    return text;
}

asio::awaitable<bool> Child::wait_ended(std::chrono::milliseconds at_most, StopToken stop) {
    const Deadline deadline(executor_, stop, at_most, "a program's end");
    const auto token = deadline.token();
    if (token.stopped()) co_return false;
    const auto registration = token.on_stop([this] { ended_.cancel(); });
    boost::system::error_code failure;
    co_await ended_.async_wait(asio::posix::stream_descriptor::wait_read,
                               asio::redirect_error(asio::use_awaitable, failure));
    co_return !failure;
}

os::Child::Ending Child::reap() {
    reaped_ = true;
    reaping_.stop({base::ErrorCode::cancelled, "the program has ended"});
    return child_.reap();
}

asio::awaitable<os::Child::Ending> Child::finish(StopToken stop) {
    const bool ended = co_await wait_ended(std::chrono::milliseconds::zero(), stop);
    if (!ended) stop.check();
    const auto ending = reap();
    // A grandchild may hold the error pipe open; what it says is not waited for.
    if (tasks_.running() > 0) {
        const Deadline deadline(executor_, stop, std::chrono::seconds(1), "the end of a program's messages");
        // Closed, not cancelled: who writes without pause keeps the reader from ever waiting for something to cancel.
        const auto registration = deadline.token().on_stop([this] {
            boost::system::error_code ignored;
            errors_.close(ignored);
        });
        co_await tasks_.join();
    }
    co_return ending;
}

asio::awaitable<void> Child::abort() {
    // Nobody reads its output any more: closing the pipe also ends a child that only writes.
    // Its input stays open: the end of it would look like success to a child that has not seen the signal yet.
    boost::system::error_code ignored;
    output_.close(ignored);
    if (!reaped_) {
        child_.signal(SIGTERM);
        // A stopped child takes SIGTERM only once it is continued.
        child_.signal(SIGCONT);
        const bool ended = co_await wait_ended(patience, StopToken{});
        if (!ended) {
            child_.signal(SIGKILL);
            co_await wait_ended(std::chrono::milliseconds::zero(), StopToken{});
        }
        (void)reap();
    }
    errors_.close(ignored);
    input_.close(ignored);
    co_await tasks_.join();
}

asio::awaitable<Captured> capture(os::Command command, std::size_t limit, StopToken stop) {
    Child child(co_await asio::this_coro::executor, command);
    Captured captured;
    std::exception_ptr failure;
    try {
        std::vector<std::byte> buffer(4096);
        for (;;) {
            const auto count = co_await child.read(buffer, stop);
            if (count == 0) break;
            captured.output.append(reinterpret_cast<const char*>(buffer.data()), count);
            if (captured.output.size() > limit)
                throw base::Error(base::ErrorCode::program_failed, command.argv.front() + " printed too much");
        }
        captured.ending = co_await child.finish(stop);
    } catch (...) {
        failure = std::current_exception();
    }
    if (failure) {
        co_await child.abort();
        std::rethrow_exception(failure);
    }
    captured.errors = child.error_text();
    co_return captured;
}

}  // namespace pgbakd::async
