// What only a directory promises: modes, mounts, a full disk.
#include <sys/stat.h>

#include "bench.hpp"
#include "support/small_disk.hpp"

using namespace contract;
using base::ErrorCode;

namespace {

// A directory target at a path of the test's own choice.
class Custom {
  public:
    static std::string missing() { return {}; }
    std::shared_ptr<target::Target> open(async::Pool& pool) const {
        return target::make_directory_target(options, pool);
    }
    inline static target::DirectoryOptions options;
};

unsigned mode_of(const std::filesystem::path& path) {
    struct stat found {};
    REQUIRE(::stat(path.c_str(), &found) == 0);
    return found.st_mode & 0777U;
}

}  // namespace

TEST_CASE("a directory target's directories are its owner's alone, and so are its files") {
    const support::TemporaryDirectory directory;
    Custom::options = {.name = "nas", .path = directory / "not/there/yet/"};
    Bench<Custom> bench;
    REQUIRE(bench.ready());
    CHECK(bench.keys().empty());
    CHECK_FALSE(std::filesystem::exists(directory / "not"));
    bench.put("job/set/a", "x");
    CHECK(mode_of(directory / "not/there") == 0700);
    CHECK(mode_of(directory / "not/there/yet/job/set") == 0700);
    CHECK(mode_of(directory / "not/there/yet/job/set/a") == 0600);
    CHECK(mode_of(directory / "not/there/yet/.pgbakd-uploads") == 0700);
    bench.remove({"job/set/a"});
    CHECK_FALSE(std::filesystem::exists(directory / "not/there/yet/job"));
}

TEST_CASE("a directory target ignores what is no object, and does not follow links out of it") {
    const support::TemporaryDirectory directory;
    std::filesystem::create_directories(directory / "far/job");
    std::filesystem::create_symlink("/etc", directory / "far/job/etc");
    std::filesystem::create_symlink("/etc/passwd", directory / "far/job/passwd");
    Custom::options = {.name = "nas", .path = directory / "far"};
    Bench<Custom> bench;
    REQUIRE(bench.ready());
    CHECK(bench.keys().empty());
    CHECK_FALSE(bench.stat("job/passwd"));
    CHECK(bench.error_of([&] { bench.get("job/passwd"); }).code() == ErrorCode::not_found);
}

TEST_CASE("a path without a mount is never written to where one is required") {
    const support::TemporaryDirectory directory;
    std::filesystem::create_directory(directory / "point");
    Custom::options = {.name = "nas", .path = directory / "point/pgbakd", .require_mount = true};
    Bench<Custom> bench;
    REQUIRE(bench.ready());
    if (::mount("tmpfs", (directory / "point").c_str(), "tmpfs", 0, "size=1m,mode=0700") != 0) {
        std::cout << "SKIPPED: only root can mount\n";
        return;
    }
    bench.put("job/set/a", "x");
    const auto upload = bench.run(bench.target().put("job/set/b", {}, {}));
    const auto chunk = chunk_of(noise(1000));
    bench.run(upload->write(chunk, {}));
    REQUIRE(::umount2((directory / "point").c_str(), MNT_DETACH) == 0);

    const auto check = [](const base::Error& error) {
        INFO(error.message());
        CHECK(error.code() == ErrorCode::unreachable);
        CHECK(error.is_passing());
        CHECK(error.message().find("point/pgbakd is not on a mount of its own: ") != std::string::npos);
        CHECK(error.hint().starts_with("mount it"));
    };
    // The upload's file is on what was unmounted, and goes on there; its object cannot appear on the disk below.
    bench.run(upload->write(chunk, {}));
    check(bench.error_of([&] { bench.run(upload->finish({})); }));
    bench.run(upload->abort());
    check(bench.error_of([&] { bench.put("job/set/c", "x"); }));
    check(bench.error_of([&] { bench.get("job/set/a"); }));
    check(bench.error_of([&] { bench.keys(); }));
    check(bench.error_of([&] { bench.stat("job/set/a"); }));
    check(bench.error_of([&] { bench.remove({"job/set/a"}); }));
    check(bench.error_of([&] { bench.run(bench.target().sweep(base::SystemClock().now(), {})); }));
    CHECK(std::filesystem::is_empty(directory / "point"));
}

TEST_CASE("a full directory target says so, and the upload leaves nothing") {
    const support::SmallDisk disk;
    if (!disk.mounted()) return;
    Custom::options = {.name = "nas", .path = disk.path() / "far", .require_mount = true};
    Bench<Custom> bench;
    REQUIRE(bench.ready());
    const auto error = bench.error_of([&] { bench.put("job/set/a", noise(1'000'000)); });
    INFO(error.message());
    CHECK(error.code() == ErrorCode::no_space);
    CHECK_FALSE(error.hint().empty());
    CHECK_FALSE(error.is_passing());
    CHECK(std::filesystem::is_empty(disk.path() / "far/.pgbakd-uploads"));
    bench.put("job/set/a", noise(100'000));
}

TEST_CASE("a relative path is no directory target") {
    async::Pool pool(1, 0);
    CHECK_THROWS_AS(target::make_directory_target({.name = "nas", .path = "mnt"}, pool), base::Error);
}
