#include "os/temporary_directory.hpp"

#include "unit/os/support.hpp"

TEST_CASE("a temporary directory is its owner's alone, and gone with all in it") {
    std::filesystem::path path;
    {
        const pgbakd::os::TemporaryDirectory directory;
        const pgbakd::os::TemporaryDirectory other;
        path = directory.path();
        CHECK(path != other.path());
        CHECK((std::filesystem::status(path).permissions() & std::filesystem::perms::mask) ==
              std::filesystem::perms::owner_all);
        std::filesystem::create_directory(path / "below");
        write(path / "below/file", "x");
    }
    CHECK_FALSE(std::filesystem::exists(path));
}
