#include "os/marked_processes.hpp"

#include <poll.h>
#include <signal.h>

#include "os/process.hpp"
#include "unit/os/support.hpp"

using namespace pgbakd;
using namespace std::chrono_literals;

namespace {

os::Child sleeper(const std::string& mark) {
    os::Command command{.argv = {"/bin/sleep", "60"}, .environment = {}, .working_directory = {}};
    command.environment.push_back({"PGBAKD_TEST_MARK", base::Secret(mark)});
    command.capture_output = false;
    return os::Child::spawn(command);
}

bool has_ended(const os::Child& child) {
    struct pollfd wanted {
        child.pidfd().get(), POLLIN, 0
    };
    return ::poll(&wanted, 1, 0) > 0;
}

// Unlike any other test's, so that tests beside this one are safe from it.
std::string mark_of(const std::string& name) {
    return name + "-" + std::to_string(::getpid());
}

}  // namespace

TEST_CASE("processes with the mark are ended, all of them, and no others") {
    const auto mark = mark_of("run-1");
    auto first = sleeper(mark);
    auto second = sleeper(mark);
    auto longer = sleeper(mark + "0");
    auto other = sleeper(mark_of("run-2"));
    CHECK(os::end_marked_processes("PGBAKD_TEST_MARK=" + mark, 10s) == 2);
    CHECK(has_ended(first));
    CHECK(has_ended(second));
    CHECK_FALSE(has_ended(longer));
    CHECK_FALSE(has_ended(other));
    CHECK(first.reap().signal == SIGKILL);
    CHECK(os::end_marked_processes("PGBAKD_TEST_MARK=" + mark, 10s) == 0);
}

TEST_CASE("a mark in the middle of a value, or of our own environment, is none") {
    const auto mark = mark_of("run-3");
    auto inside = sleeper("x PGBAKD_TEST_MARK=" + mark);
    CHECK(os::end_marked_processes("PGBAKD_TEST_MARK=" + mark, 10s) == 0);
    CHECK_FALSE(has_ended(inside));
}

TEST_CASE("what a marked process started goes with it") {
    const auto mark = mark_of("run-4");
    os::Command command{.argv = {"/bin/sh", "-c", "/bin/sleep 60 & wait"}, .environment = {}, .working_directory = {}};
    command.environment.push_back({"PGBAKD_TEST_MARK", base::Secret(mark)});
    auto shell = os::Child::spawn(command);
    // Its output ends once nobody holds the pipe any more.
    CHECK(os::end_marked_processes("PGBAKD_TEST_MARK=" + mark, 10s) >= 1);
    struct pollfd wanted {
        shell.output().get(), POLLIN, 0
    };
    CHECK(::poll(&wanted, 1, 10'000) == 1);
    CHECK((wanted.revents & POLLHUP) != 0);
}
