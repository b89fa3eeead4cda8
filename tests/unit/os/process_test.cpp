#include "os/process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "os/environment.hpp"
#include "unit/os/support.hpp"

using namespace pgbakd;
using base::ErrorCode;

namespace {

os::Command shell(const std::string& script) {
    return {.argv = {"/bin/sh", "-c", script}, .environment = {}, .working_directory = {}};
}

// All that comes out of a non-blocking descriptor until its end.
std::string drain(const os::Descriptor& file) {
    std::string text;
    char buffer[65536];
    for (;;) {
        struct pollfd wanted {
            file.get(), POLLIN, 0
        };
        ::poll(&wanted, 1, -1);
        const auto count = ::read(file.get(), buffer, sizeof buffer);
        if (count == 0) return text;
        if (count > 0) text.append(buffer, static_cast<std::size_t>(count));
        if (count < 0 && errno != EAGAIN && errno != EINTR) return text + "<" + std::to_string(errno) + ">";
    }
}

void wait_for_end(const os::Child& child) {
    struct pollfd wanted {
        child.pidfd().get(), POLLIN, 0
    };
    REQUIRE(::poll(&wanted, 1, 60'000) == 1);
}

std::string output_of(const os::Command& command) {
    auto child = os::Child::spawn(command);
    auto text = drain(child.output());
    wait_for_end(child);
    CHECK(child.reap().text() == "exit code 0");
    return text;
}

}  // namespace

TEST_CASE("a child's output, errors and exit code come back") {
    auto child = os::Child::spawn(shell("echo out; echo err >&2; exit 3"));
    CHECK(child.pid() > 0);
    CHECK(drain(child.output()) == "out\n");
    CHECK(drain(child.errors()) == "err\n");
    wait_for_end(child);
    const auto ending = child.reap();
    CHECK(ending.exit_code == 3);
    CHECK(ending.signal == 0);
    CHECK_FALSE(ending.good());
    CHECK(ending.text() == "exit code 3");
}

TEST_CASE("a killed child says by what") {
    auto child = os::Child::spawn({.argv = {"/bin/sleep", "1000"}, .environment = {}, .working_directory = {}});
    child.signal(SIGKILL);
    wait_for_end(child);
    const auto ending = child.reap();
    CHECK(ending.signal == SIGKILL);
    CHECK_FALSE(ending.good());
    CHECK(ending.text() == "killed by signal 9 (SIGKILL)");
    child.signal(SIGKILL);  // after the end: nothing
}

TEST_CASE("more than a pipe holds comes through") {
    CHECK(output_of(shell("head -c 5000000 /dev/zero")).size() == 5'000'000);
}

TEST_CASE("a program that cannot be executed is client_missing, and said at once") {
    const support::TemporaryDirectory directory;
    const auto error = error_of([&] {
        (void)os::Child::spawn(
            {.argv = {(directory / "pg_dump").native()}, .environment = {}, .working_directory = {}});
    });
    CHECK(error.code() == ErrorCode::client_missing);
    CHECK(error.message() == (directory / "pg_dump").native() + " cannot be executed: No such file or directory");
    CHECK_FALSE(error.hint().empty());

    write(directory / "plain", "text");
    const auto refused = error_of([&] {
        (void)os::Child::spawn({.argv = {(directory / "plain").native()}, .environment = {}, .working_directory = {}});
    });
    CHECK(refused.code() == ErrorCode::client_missing);

    auto elsewhere = shell("true");
    elsewhere.working_directory = directory / "none";
    const auto place = error_of([&] { (void)os::Child::spawn(elsewhere); });
    CHECK(place.code() == ErrorCode::not_found);
    CHECK(place.message() == "entering " + (directory / "none").native() + ": No such file or directory");
    // None of them is left behind as a zombie.
    CHECK(::waitpid(-1, nullptr, WNOHANG) == -1);
}

TEST_CASE("a program is named by its absolute path, without NUL bytes") {
    for (const auto& argv : std::vector<std::vector<std::string>>{
             {}, {""}, {"sh"}, {"./sh"}, {"/bin/sh", "-c", std::string("a\0b", 3)}, {std::string("/bin/sh\0x", 9)}})
        CHECK(error_of([&] {
                  (void)os::Child::spawn({.argv = argv, .environment = {}, .working_directory = {}});
              }).code() == ErrorCode::invalid_argument);
}

TEST_CASE("a child leads a group of its own, with default signals, no core dumps and nothing to read") {
    // Ignored signals and the mask pass through exec unless they are reset.
    ::signal(SIGPIPE, SIG_IGN);
    sigset_t blocked;
    ::sigemptyset(&blocked);
    ::sigaddset(&blocked, SIGTERM);
    sigset_t before;
    ::pthread_sigmask(SIG_BLOCK, &blocked, &before);
    const auto text =
        output_of(shell("grep -E 'SigBlk|SigIgn' /proc/self/status; ulimit -c; wc -c; "
                        "read -r _ _ _ _ group _ < /proc/$$/stat; test $group = $$ && echo leader"));
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    ::signal(SIGPIPE, SIG_DFL);
    CHECK(text == "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n0\n0\nleader\n");
}

TEST_CASE("a child inherits no descriptor, not even one opened without O_CLOEXEC") {
    const int leaky = ::open("/dev/null", O_RDONLY);  // NOLINT(android-cloexec-open)
    const int high = ::fcntl(leaky, F_DUPFD, 100);
    CHECK(output_of(shell("ls /proc/$$/fd")) == "0\n1\n2\n");
    ::close(high);
    ::close(leaky);
}

TEST_CASE("a child's environment is a short list and what the command adds") {
    const std::vector<os::Command::Variable> added{
        {"PGPASSWORD", base::Secret("geheim=1")}, {"TZ", base::Secret("first")}, {"TZ", base::Secret("UTC")}};
    const char* inherited[] = {
        "PATH=/bin", "PGHOST=wrong", "LD_PRELOAD=evil.so", "LC_ALL=C", "TZ=Asia/Shanghai", "HOMEWORK=1", "HOME=/root",
        "USER",      nullptr};
    os::EnvironmentBlock block(inherited, added);
    std::vector<std::string> texts;
    for (auto* const* text = block.pointers(); *text != nullptr; ++text) texts.emplace_back(*text);
    CHECK(texts == std::vector<std::string>{"PATH=/bin", "LC_ALL=C", "HOME=/root", "PGPASSWORD=geheim=1", "TZ=UTC"});

    const auto refused = [&](std::string name, std::string value) {
        std::vector<os::Command::Variable> wrong;
        wrong.push_back({std::move(name), base::Secret(std::move(value))});
        return error_of([&] { os::EnvironmentBlock(inherited, wrong); });
    };
    CHECK(refused("", "x").code() == ErrorCode::invalid_argument);
    CHECK(refused("A=B", "x").code() == ErrorCode::invalid_argument);
    const auto secret = refused("A", std::string("gehe\0im", 7));
    CHECK(secret.code() == ErrorCode::invalid_argument);
    CHECK(secret.message().find("gehe") == std::string::npos);

    ::setenv("PGSERVICE", "wrong", 1);  // NOLINT(concurrency-mt-unsafe)
    auto command = shell("echo \"$PGPASSWORD,$PGSERVICE,$0\"");
    command.environment = added;
    CHECK(output_of(command) == "geheim=1,,/bin/sh\n");
    ::unsetenv("PGSERVICE");  // NOLINT(concurrency-mt-unsafe)
}

TEST_CASE("working directory, niceness and silence are as asked") {
    const support::TemporaryDirectory directory;
    auto command = shell("pwd; nice");
    command.working_directory = directory.path();
    command.nice = 5;
    const int ours = ::getpriority(PRIO_PROCESS, 0);
    CHECK(output_of(command) == directory.path().native() + "\n" + std::to_string(std::min(19, ours + 5)) + "\n");

    auto silent = shell("echo unheard; echo heard >&2");
    silent.capture_output = false;
    auto child = os::Child::spawn(silent);
    CHECK_FALSE(child.output());
    CHECK(drain(child.errors()) == "heard\n");
    wait_for_end(child);
    CHECK(child.reap().good());
}

TEST_CASE("what a child started ends with it") {
    // The grandchild holds the pipe open: its end is seen there.
    SECTION("when it is destroyed") {
        os::Descriptor errors;
        {
            auto child = os::Child::spawn(shell("sleep 1000 & echo started; wait"));
            char byte = 0;
            struct pollfd wanted {
                child.output().get(), POLLIN, 0
            };
            REQUIRE(::poll(&wanted, 1, 60'000) == 1);
            REQUIRE(::read(child.output().get(), &byte, 1) == 1);
            errors = std::move(child.errors());
        }
        CHECK(drain(errors).empty());
    }
    SECTION("when it is reaped") {
        auto child = os::Child::spawn(shell("sleep 1000 & exit 0"));
        wait_for_end(child);
        CHECK(child.reap().good());
        CHECK(drain(child.errors()).empty());
    }
    SECTION("when its owner is given another") {
        auto child = os::Child::spawn(shell("sleep 1000"));
        auto errors = std::move(child.errors());
        child = os::Child::spawn(shell("true"));
        CHECK(drain(errors).empty());
        auto moved = std::move(child);
        wait_for_end(moved);
        CHECK(moved.reap().good());
    }
}

TEST_CASE("a child dies with the program that started it") {
    int report[2];
    REQUIRE(::pipe(report) == 0);
    const pid_t parent = ::fork();
    if (parent == 0) {
        // Its child keeps standard error, a pipe whose other end a third process holds: seen by its pid.
        static auto child =
            os::Child::spawn({.argv = {"/bin/sleep", "1000"}, .environment = {}, .working_directory = {}});
        const pid_t pid = child.pid();
        (void)!::write(report[1], &pid, sizeof pid);
        ::kill(::getpid(), SIGKILL);
    }
    pid_t child = 0;
    REQUIRE(::read(report[0], &child, sizeof child) == sizeof child);
    const os::Descriptor watched(static_cast<int>(::syscall(SYS_pidfd_open, child, 0)));
    ::waitpid(parent, nullptr, 0);
    if (watched) {
        struct pollfd wanted {
            watched.get(), POLLIN, 0
        };
        CHECK(::poll(&wanted, 1, 60'000) == 1);
    }
    ::close(report[0]);
    ::close(report[1]);
}

TEST_CASE("what a child reads first is there before it starts, and its input stays open behind it") {
    auto command = shell("read -r line; echo \"got $line\"; read -r more; echo \"end $?\"");
    command.first_input = base::Secret(std::string("one\n"));
    auto child = os::Child::spawn(command);
    char buffer[64];
    struct pollfd wanted {
        child.output().get(), POLLIN, 0
    };
    REQUIRE(::poll(&wanted, 1, 60'000) == 1);
    CHECK(std::string(buffer, static_cast<std::size_t>(::read(child.output().get(), buffer, sizeof buffer))) ==
          "got one\n");
    // It waits for more until the end comes, which is ours.
    child.input().reset();
    CHECK(drain(child.output()) == "end 1\n");
    wait_for_end(child);
    CHECK(child.reap().good());
}

TEST_CASE("what is fed comes behind what is read first") {
    auto command = shell("cat");
    command.first_input = base::Secret(std::string(std::size_t{60} << 10U, 'x') + "|");
    command.feed_input = true;
    auto child = os::Child::spawn(command);
    REQUIRE(::write(child.input().get(), "fed", 3) == 3);
    child.input().reset();
    CHECK(drain(child.output()) == std::string(std::size_t{60} << 10U, 'x') + "|fed");
    wait_for_end(child);
    CHECK(child.reap().good());
    command.first_input = base::Secret(std::string(std::size_t{65} << 10U, 'x'));
    CHECK_THROWS_AS(os::Child::spawn(command), base::Error);
}

TEST_CASE("a file of secrets is read once by the child, and stands neither in its environment nor on any disk") {
    auto command =
        shell("cat /dev/fd/3; echo \"[$(cat /dev/fd/3)]\"; tr '\\0' '\\n' </proc/self/environ | grep -c hidden");
    CHECK(os::Command::secret_file == std::string("/dev/fd/3"));
    command.secret_file_text = base::Secret(std::string("hidden\n"));
    command.argv[2] += "; true";
    CHECK(output_of(command) == "hidden\n[]\n0\n");
    // As long as a key may be; and it does not stand in the way of the input.
    command = shell("wc -c </dev/fd/3; cat");
    command.secret_file_text = base::Secret(std::string(60'000, 'x'));
    command.feed_input = true;
    auto child = os::Child::spawn(command);
    CHECK(::write(child.input().get(), "in", 2) == 2);
    child.input().reset();
    CHECK(drain(child.output()) == "60000\nin");
    (void)child.reap();
    // Without it there is no such file.
    CHECK(output_of(shell("test -e /dev/fd/3 || echo none")) == "none\n");
    command.secret_file_text = base::Secret(std::string(100'000, 'x'));
    CHECK(error_of([&] { (void)os::Child::spawn(command); }).code() == ErrorCode::invalid_argument);
}
