#include "os/lock.hpp"

#include <sys/wait.h>

#include "unit/os/support.hpp"

using namespace pgbakd;

TEST_CASE("a lock is held by one, who says who it is") {
    const support::TemporaryDirectory directory;
    const auto path = directory / "lock";
    CHECK(os::FileLock::holder(path).empty());
    {
        const auto first = os::FileLock::try_lock(path, "pgbakd[1], a longer text");
        REQUIRE(first);
        CHECK(mode_of(path) == 0600);
        CHECK_FALSE(os::FileLock::try_lock(path, "the second"));
        CHECK(os::FileLock::holder(path) == "pgbakd[1], a longer text");
    }
    const auto third = os::FileLock::try_lock(path, "the third");
    REQUIRE(third);
    CHECK(os::FileLock::holder(path) == "the third");
}

TEST_CASE("a holder's text is clamped and fit for one line") {
    const support::TemporaryDirectory directory;
    const auto lock = os::FileLock::try_lock(directory / "lock", "a\nb" + std::string(5000, 'x'));
    REQUIRE(lock);
    const auto holder = os::FileLock::holder(directory / "lock");
    CHECK(holder.size() == 1024);
    CHECK(holder.substr(0, 4) == "a?bx");
}

TEST_CASE("a lock's file that was removed does not let two hold it") {
    const support::TemporaryDirectory directory;
    const auto path = directory / "lock";
    {
        const auto old = os::FileLock::try_lock(path, "old");
        std::filesystem::remove(path);
        const auto fresh = os::FileLock::try_lock(path, "fresh");
        REQUIRE(fresh);
        CHECK_FALSE(os::FileLock::try_lock(path, "another"));
    }
    CHECK(os::FileLock::try_lock(path, "last"));
}

TEST_CASE("a killed holder's lock is free at once") {
    const support::TemporaryDirectory directory;
    const auto path = directory / "lock";
    int ready[2];
    REQUIRE(::pipe(ready) == 0);
    const pid_t child = ::fork();
    if (child == 0) {
        const auto lock = os::FileLock::try_lock(path, "child");
        (void)!::write(ready[1], lock ? "y" : "n", 1);
        for (;;) ::pause();
    }
    char answer = 0;
    REQUIRE(::read(ready[0], &answer, 1) == 1);
    CHECK(answer == 'y');
    CHECK_FALSE(os::FileLock::try_lock(path, "parent"));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    CHECK(os::FileLock::try_lock(path, "parent"));
    ::close(ready[0]);
    ::close(ready[1]);
}

TEST_CASE("a lock is not taken through a link") {
    const support::TemporaryDirectory directory;
    std::filesystem::create_symlink("elsewhere", directory / "lock");
    CHECK_THROWS_AS(os::FileLock::try_lock(directory / "lock", "x"), base::Error);
    CHECK_FALSE(std::filesystem::exists(directory / "elsewhere"));
}
