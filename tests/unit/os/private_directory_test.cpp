#include "os/private_directory.hpp"

#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <optional>

#include "unit/os/support.hpp"

using namespace pgbakd;

namespace {

// A prefix of this test alone: others look for theirs in the same directory.
std::string prefix() {
    return "pgbakd-test-" + std::to_string(::getpid()) + "-";
}

}  // namespace

TEST_CASE("a private directory is its process's alone, and goes with the object") {
    std::filesystem::path path;
    {
        auto first = os::PrivateDirectory::make(prefix());
        const auto second = os::PrivateDirectory::make(prefix());
        path = first.path();
        CHECK(path.filename().native().starts_with(prefix()));
        struct stat status {};
        REQUIRE(::stat(path.c_str(), &status) == 0);
        CHECK((status.st_mode & 0777U) == 0700U);
        // One that is alive is not taken for one that was left.
        CHECK(second.path() != path);
        CHECK(std::filesystem::exists(path));
        std::ofstream(path / "socket") << "x";
        const auto moved = std::move(first);
        CHECK(moved.path() == path);
    }
    CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE("what a killed process left is removed by the next") {
    int ends[2] = {-1, -1};
    REQUIRE(::pipe(ends) == 0);
    const auto parent = prefix();
    const auto child = ::fork();
    if (child == 0) {
        const auto directory = os::PrivateDirectory::make(parent);
        const auto text = directory.path().native();
        (void)!::write(ends[1], text.data(), text.size());
        ::pause();
    }
    char buffer[4096];
    const auto count = ::read(ends[0], buffer, sizeof buffer);
    REQUIRE(count > 0);
    const std::filesystem::path left(std::string(buffer, static_cast<std::size_t>(count)));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    ::close(ends[0]);
    ::close(ends[1]);
    REQUIRE(std::filesystem::exists(left));
    const auto next = os::PrivateDirectory::make(parent);
    CHECK_FALSE(std::filesystem::exists(left));
}
