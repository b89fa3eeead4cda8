#include "os/directory_watch.hpp"

#include <sched.h>
#include <sys/wait.h>

#include <iostream>

#include "unit/os/support.hpp"

using namespace pgbakd;

namespace {

// In a user namespace of its own, where one watch is all there may be.
[[noreturn]] void watch_with_one_watch() {
    if (::unshare(CLONE_NEWUSER) != 0) ::_exit(77);
    std::ofstream limit("/proc/sys/user/max_inotify_watches");
    limit << "1" << std::flush;
    if (!limit) ::_exit(77);
    try {
        os::DirectoryWatch watch;
        watch.add("/usr");
        watch.add("/usr");  // is the same watch
        try {
            watch.add("/etc");
        } catch (const base::Error& error) {
            const bool good = error.code() == base::ErrorCode::io_failed &&
                              error.message() == "watching /etc: too many watches on this system" &&
                              error.hint().find("fs.inotify.max_user_watches (sysctl)") != std::string::npos;
            ::_exit(good ? 0 : 1);
        }
    } catch (const base::Error&) {
        ::_exit(2);
    }
    ::_exit(3);
}

}  // namespace

TEST_CASE("the system's limits on watches are told with what to raise") {
    const pid_t child = ::fork();
    if (child == 0) watch_with_one_watch();
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
        std::cout << "SKIPPED: no user namespace can be made\n";
        return;
    }
    CHECK(status == 0);
}
