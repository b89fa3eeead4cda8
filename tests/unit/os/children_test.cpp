#include "os/children.hpp"

#include <poll.h>
#include <signal.h>

#include "os/process.hpp"
#include "unit/os/support.hpp"

using namespace pgbakd;

namespace {

// Nobody but what it started holds its output then.
bool has_closed(const os::Descriptor& output) {
    struct pollfd wanted {
        output.get(), 0, 0
    };
    return ::poll(&wanted, 1, 60'000) == 1 && (wanted.revents & POLLHUP) != 0;
}

os::Child shell(const std::string& script) {
    return os::Child::spawn({.argv = {"/bin/sh", "-c", script}, .environment = {}, .working_directory = {}});
}

// Until it has said so: then what it ignores is ignored, and what it starts runs.
void wait_for_word(const os::Descriptor& output) {
    struct pollfd wanted {
        output.get(), POLLIN, 0
    };
    REQUIRE(::poll(&wanted, 1, 60'000) == 1);
}

}  // namespace

TEST_CASE("all children are killed with what they started, whatever they ignore") {
    auto first = shell("trap '' TERM; /bin/sleep 1000 & echo; wait");
    auto second = shell("trap '' TERM; (/bin/sleep 1000 & echo; wait); :");
    for (auto* child : {&first, &second}) wait_for_word(child->output());
    CHECK(os::kill_children() == 2);
    for (auto* child : {&first, &second}) {
        CHECK(has_closed(child->output()));
        CHECK(child->reap().signal == SIGKILL);
    }
    CHECK(os::kill_children() == 0);
}

TEST_CASE("what a child left behind when it ended is killed too, as long as nobody has reaped it") {
    auto child = shell("/bin/sleep 1000 & echo");
    struct pollfd ended {
        child.pidfd().get(), POLLIN, 0
    };
    REQUIRE(::poll(&ended, 1, 60'000) == 1);
    CHECK(os::kill_children() == 1);
    CHECK(has_closed(child.output()));
    CHECK(child.reap().good());
}

TEST_CASE("the child of a child is not a child") {
    auto child = shell("/bin/sh -c '/bin/sh -c \"exec /bin/sleep 1000\" & wait' & echo; wait");
    wait_for_word(child.output());
    CHECK(os::kill_children() == 1);
    CHECK(has_closed(child.output()));
}
