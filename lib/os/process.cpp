#include "os/process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/error.hpp"
#include "base/text.hpp"
#include "os/child_side.hpp"
#include "os/environment.hpp"

namespace pgbakd::os {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::size_t most_first_input = 64U
                                         << 10U;  // fits into the buffer of a socket, or pipe, that nobody reads yet
constexpr int pipe_capacity = 1 << 20;            // 16 times the default: fewer switches between the dump and us

Error failure(std::string_view action, int error_number) {
    return base::error_from_errno(error_number, action);
}

// Above 0–3, so that putting the child's streams in place never overwrites a descriptor that is still needed.
Descriptor above_streams(Descriptor file) {
    if (file.get() > secret_descriptor) return file;
    Descriptor moved(::fcntl(file.get(), F_DUPFD_CLOEXEC, secret_descriptor + 1));
    if (!moved) throw failure("duplicating a descriptor", errno);
    return moved;
}

struct Pipe {
    Descriptor reader, writer;
};

Pipe make_pipe() {
    int ends[2] = {-1, -1};
    if (::pipe2(ends, O_CLOEXEC) != 0) throw failure("creating a pipe", errno);
    Descriptor reader(ends[0]);
    Descriptor writer(ends[1]);
    return {above_streams(std::move(reader)), above_streams(std::move(writer))};
}

// A stream socket rather than a pipe: writing to one whose reader has died is an error, and never a SIGPIPE.
Pipe make_feed() {
    int ends[2] = {-1, -1};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) throw failure("creating a socket", errno);
    Descriptor reader(ends[0]);
    Descriptor writer(ends[1]);
    return {above_streams(std::move(reader)), above_streams(std::move(writer))};
}

void make_non_blocking(const Descriptor& file) {
    const int flags = ::fcntl(file.get(), F_GETFL);
    if (flags < 0 || ::fcntl(file.get(), F_SETFL, flags | O_NONBLOCK) != 0) throw failure("setting up a pipe", errno);
}

// A pipe that holds the text, and then ends.
Descriptor make_secret_file(std::string_view text) {
    auto pipe = make_pipe();
    make_non_blocking(pipe.writer);
    if (::write(pipe.writer.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
        throw failure("writing a file of secrets for a program", errno == 0 ? EIO : errno);
    return std::move(pipe.reader);
}

// Before there is a child to read it.
void send_first(const Descriptor& writer, std::string_view text) {
    while (!text.empty()) {
        const auto count = ::send(writer.get(), text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) throw failure("writing the input of a program", errno);
        text.remove_prefix(static_cast<std::size_t>(count));
    }
}

Descriptor open_null() {
    Descriptor file(::open("/dev/null", O_RDWR | O_CLOEXEC));
    if (!file) throw failure("opening /dev/null", errno);
    return above_streams(std::move(file));
}

// Held while we fork: a handler of ours must never run in the child.
class BlockedSignals {
  public:
    BlockedSignals() noexcept {
        sigset_t all;
        ::sigfillset(&all);
        ::pthread_sigmask(SIG_SETMASK, &all, &before_);
    }
    BlockedSignals(const BlockedSignals&) = delete;
    BlockedSignals& operator=(const BlockedSignals&) = delete;
    ~BlockedSignals() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

  private:
    sigset_t before_{};
};

Error spawn_error(const ChildFailure& what, const Command& command) {
    const auto& program = command.argv.front();
    switch (what.step) {
        case ChildStep::directory: return failure("entering " + command.working_directory.native(), what.error_number);
        case ChildStep::streams: return failure("setting up the streams of " + program, what.error_number);
        case ChildStep::execute: break;
    }
    switch (what.error_number) {
        case ENOENT:
        case ENOTDIR:
        case EACCES:
        case EPERM:
        case ENOEXEC:
        case ELIBBAD: {
            const auto cause = failure(program + " cannot be executed", what.error_number);
            return {ErrorCode::client_missing, cause.message(),
                    "install the package that has it, or correct its path in the configuration"};
        }
        default: return failure("executing " + program, what.error_number);
    }
}

void check(const Command& command) {
    if (command.argv.empty() || !command.argv.front().starts_with('/'))
        throw Error(ErrorCode::invalid_argument,
                    fmt::format("a program is named by its absolute path (got \"{}\")",
                                command.argv.empty() ? std::string() : base::printable(command.argv.front())));
    for (const auto& argument : command.argv)
        if (argument.find('\0') != std::string::npos)
            throw Error(ErrorCode::invalid_argument,
                        fmt::format("an argument of {} holds a NUL byte", command.argv.front()));
    if (command.first_input.reveal().size() > most_first_input ||
        command.secret_file_text.reveal().size() > most_first_input)
        throw Error(ErrorCode::invalid_argument,
                    fmt::format("the environment or input of {} is too long", command.argv.front()));
}

// Waits for the end of `pid`; with WNOWAIT it stays a zombie, so that its number and its group's stay taken.
siginfo_t wait_for(pid_t pid, int flags) {
    siginfo_t info{};
    while (::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | flags) != 0)
        if (errno != EINTR) throw failure(fmt::format("waiting for process {}", pid), errno);
    return info;
}

// The failure the child reported, or false once exec has closed the pipe.
bool read_failure(const Descriptor& report, ChildFailure& what) {
    ssize_t count = 0;
    do count = ::read(report.get(), &what, sizeof what);
    while (count < 0 && errno == EINTR);
    return count == static_cast<ssize_t>(sizeof what);
}

}  // namespace

Child Child::spawn(const Command& command) {
    check(command);
    std::vector<char*> argv;
    argv.reserve(command.argv.size() + 1);
    for (const auto& argument : command.argv) argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    EnvironmentBlock environment(environ, command.environment);

    const auto null = open_null();
    auto errors = make_pipe();
    auto report = make_pipe();
    Pipe output;
    if (command.capture_output) {
        output = make_pipe();
        // Refused beyond the limit of /proc/sys/fs/pipe-user-pages-soft; the default size serves as well, slower.
        (void)::fcntl(output.reader.get(), F_SETPIPE_SZ, pipe_capacity);
        make_non_blocking(output.reader);
    }
    make_non_blocking(errors.reader);
    Pipe input;
    const bool has_input = command.feed_input || !command.first_input.empty();
    if (has_input) {
        input = make_feed();
        make_non_blocking(input.writer);
        send_first(input.writer, command.first_input.reveal());
    }
    Descriptor secret;
    if (!command.secret_file_text.empty()) secret = make_secret_file(command.secret_file_text.reveal());

    const ChildPlan plan{.program = argv.front(),
                         .argv = argv.data(),
                         .environment = environment.pointers(),
                         .directory = command.working_directory.empty() ? nullptr : command.working_directory.c_str(),
                         .input = has_input ? input.reader.get() : null.get(),
                         .output = command.capture_output ? output.writer.get() : null.get(),
                         .errors = errors.writer.get(),
                         .secret = secret ? secret.get() : -1,
                         .report = report.writer.get(),
                         .nice = command.nice,
                         .parent = ::getpid()};
    Child child;
    {
        const BlockedSignals blocked;
        child.pid_ = ::fork();
        if (child.pid_ == 0) become(plan);
    }
    if (child.pid_ < 0) throw failure("starting " + command.argv.front(), errno);
    // From here on the destructor of `child` ends it, whatever fails. Its number cannot be somebody else's, as we have
    // not reaped it.
    child.pidfd_ = Descriptor(static_cast<int>(::syscall(SYS_pidfd_open, child.pid_, 0U)));
    if (!child.pidfd_) throw failure("watching " + command.argv.front(), errno);
    output.writer.reset();
    input.reader.reset();
    errors.writer.reset();
    report.writer.reset();
    ChildFailure what{};
    if (read_failure(report.reader, what)) throw spawn_error(what, command);
    child.output_ = std::move(output.reader);
    child.errors_ = std::move(errors.reader);
    child.input_ = std::move(input.writer);
    return child;
}

Child::Child(Child&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      pidfd_(std::move(other.pidfd_)),
      output_(std::move(other.output_)),
      errors_(std::move(other.errors_)),
      input_(std::move(other.input_)) {}

Child& Child::operator=(Child&& other) noexcept {
    if (this != &other) {
        end();
        pid_ = std::exchange(other.pid_, -1);
        pidfd_ = std::move(other.pidfd_);
        output_ = std::move(other.output_);
        errors_ = std::move(other.errors_);
        input_ = std::move(other.input_);
    }
    return *this;
}

Child::~Child() {
    end();
}

void Child::end() noexcept {
    if (pid_ < 0) return;
    signal(SIGKILL);
    siginfo_t info{};
    while (::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED) != 0 && errno == EINTR) {
    }
    pid_ = -1;
}

void Child::signal(int number) noexcept {
    if (pid_ < 0) return;
    // A child that left its group (setsid) is still told itself.
    if (::kill(-pid_, number) != 0) (void)::kill(pid_, number);
}

Child::Ending Child::reap() {
    if (pid_ < 0) throw Error(ErrorCode::internal, "a child process is reaped twice");
    const auto info = wait_for(pid_, WNOWAIT);
    // The group's number stays ours until its leader is reaped, so this cannot hit anybody else.
    (void)::kill(-pid_, SIGKILL);
    (void)wait_for(pid_, 0);
    pid_ = -1;
    if (info.si_code == CLD_EXITED) return {.exit_code = info.si_status, .signal = 0};
    return {.exit_code = 0, .signal = info.si_status};
}

std::string Child::Ending::text() const {
    if (signal == 0) return fmt::format("exit code {}", exit_code);
    const char* name = ::sigabbrev_np(signal);
    return name == nullptr ? fmt::format("killed by signal {}", signal)
                           : fmt::format("killed by signal {} (SIG{})", signal, name);
}

}  // namespace pgbakd::os
