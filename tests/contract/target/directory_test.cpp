// What only a directory promises: modes, mounts, a full disk.
#include <sys/stat.h>

#include <thread>

#include "bench.hpp"
#include "hung_mount.hpp"
#include "support/small_disk.hpp"
#include "wrong_clock.hpp"

using namespace contract;
using base::ErrorCode;

namespace {

// A directory target at a path of the test's own choice.
class Custom {
  public:
    static std::string missing() { return {}; }
    std::shared_ptr<target::Target> open(async::Pool& pool) const {
        static const base::SystemClock right;
        return target::make_directory_target(options, pool, clock != nullptr ? *clock : right);
    }
    inline static target::DirectoryOptions options;
    inline static const base::Clock* clock = nullptr;
};

// What interrupted uploads leave; root takes the folder away as well.
bool no_uploads(const std::filesystem::path& far) {
    const auto folder = far / ".pgbakd-uploads";
    return !std::filesystem::exists(folder) || std::filesystem::is_empty(folder);
}

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

namespace {

// A mount of the test's own, gone with it.
class Mounted {
  public:
    Mounted(const char* source, const std::filesystem::path& at, const char* type, unsigned long flags)
        : at_(at), mounted_(::mount(source, at.c_str(), type, flags, type != nullptr ? "size=1m,mode=0700" : "") == 0) {
        if (!mounted_) std::cout << "SKIPPED: only root can mount\n";
    }
    Mounted(const Mounted&) = delete;
    Mounted& operator=(const Mounted&) = delete;
    ~Mounted() {
        if (mounted_) ::umount2(at_.c_str(), MNT_DETACH);
    }
    explicit operator bool() const { return mounted_; }

  private:
    std::filesystem::path at_;
    bool mounted_;
};

class Disk : public Mounted {
  public:
    explicit Disk(const std::filesystem::path& at) : Mounted("tmpfs", at, "tmpfs", 0) {}
};

// As systemd does it for ReadWritePaths=.
class OnItself : public Mounted {
  public:
    explicit OnItself(const std::filesystem::path& at) : Mounted(at.c_str(), at, nullptr, MS_BIND) {}
};

std::string unique_key() {
    static int count = 0;
    return "job/set/" + std::to_string(++count);
}

std::string refusal(Bench<Custom>& bench) {
    const auto error = bench.error_of([&] { bench.put("job/set/refused", "x"); });
    CHECK(error.code() == ErrorCode::unreachable);
    CHECK(error.is_passing());
    const std::string fact = " is not on a mount of its own: ";
    const auto at = error.message().find(fact);
    return at == std::string::npos ? error.message() : error.message().substr(at + fact.size());
}

}  // namespace

TEST_CASE("a directory that is mounted on itself is no mount, and the mount that comes is used") {
    const support::TemporaryDirectory directory;
    const auto path = directory / "nas/pgbakd";
    std::filesystem::create_directories(path);
    Custom::options = {.name = "nas", .path = path, .require_mount = true, .repository = directory / "repository"};
    Bench<Custom> bench;
    REQUIRE(bench.ready());
    const OnItself bound(path);
    if (!bound) return;
    CHECK(refusal(bench).starts_with("it is on the "));
    CHECK(std::filesystem::is_empty(path));
    const Disk disk(directory / "nas");
    REQUIRE(disk);
    bench.put("job/set/a", "x");
    const OnItself bound_there(path);
    bench.put("job/set/b", "x");
    CHECK(bench.keys() == std::vector<std::string>{"job/set/a", "job/set/b"});
}

TEST_CASE("without its mount a path on another disk of this host is refused where the mount point is named") {
    const support::TemporaryDirectory directory;
    const auto srv = directory / "srv";
    std::filesystem::create_directory(srv);
    const Disk disk(srv);
    if (!disk) return;
    std::filesystem::create_directories(srv / "nas/pgbakd");
    Custom::options = {.name = "nas", .path = srv / "nas/pgbakd", .require_mount = true, .mount_point = srv / "nas"};
    Bench<Custom> bench;
    REQUIRE(bench.ready());
    Custom::options.mount_point.clear();
    Custom::options.repository = srv / "repository";
    Bench<Custom> beside_the_repository;
    REQUIRE(beside_the_repository.ready());
    Custom::options.repository.clear();
    Bench<Custom> unnamed;
    REQUIRE(unnamed.ready());

    const auto refused = [&] {
        CHECK(refusal(bench) == "nothing is mounted on " + (srv / "nas").native());
        CHECK(refusal(beside_the_repository) == "it is on the file system of the repository, " + srv.native());
        CHECK(std::filesystem::is_empty(srv / "nas/pgbakd"));
    };
    refused();
    CHECK(unnamed.keys().empty());
    {
        const OnItself bound(srv / "nas");
        refused();
    }
    {
        const Disk nas(srv / "nas");
        REQUIRE(nas);
        for (auto* each : {&bench, &beside_the_repository, &unnamed}) each->put(unique_key(), "x");
        CHECK(bench.keys().size() == 3);
    }
    refused();
    // It had been there.
    CHECK(refusal(unnamed) == "it was on " + (srv / "nas").native() + " and is on " + srv.native() + " now");
}

TEST_CASE("a link that somebody puts into a directory target leads nothing of ours elsewhere") {
    const support::TemporaryDirectory directory;
    const auto far = directory / "far";
    const auto precious = directory / "precious";
    std::filesystem::create_directories(precious / "set");
    std::filesystem::create_directory(directory / "real");
    // The path itself may be one: an administrator made it.
    std::filesystem::create_directory_symlink("real", far);
    const auto old_file = [](const std::filesystem::path& path) {
        std::ofstream(path) << "local";
        std::filesystem::last_write_time(path, std::filesystem::file_time_type::clock::now() - std::chrono::hours(99));
    };
    old_file(precious / "manifest.json");
    old_file(precious / "set/a");
    Custom::options = {.name = "nas", .path = far};
    Bench<Custom> bench;
    REQUIRE(bench.ready());
    const auto check = [](const base::Error& error, const std::filesystem::path& link) {
        INFO(error.message());
        CHECK(error.code() == ErrorCode::invalid_configuration);
        CHECK_FALSE(error.is_passing());
        CHECK(error.message().find(link.native() + " is a symbolic link: ") != std::string::npos);
    };

    std::filesystem::create_directory_symlink(precious, far / "job");
    const auto upload = bench.run(bench.target().put("other/set/a", {}, {}));
    check(bench.error_of([&] { bench.put("job/set/b", "x"); }), far / "job");
    check(bench.error_of([&] { bench.get("job/set/a"); }), far / "job");
    check(bench.error_of([&] { bench.stat("job/set/a"); }), far / "job");
    check(bench.error_of([&] { bench.run(bench.target().list("job/", "", 10, {})); }), far / "job");
    const std::vector<std::string> keys{"job/set/a", "job/manifest.json", "job"};
    const auto refused = bench.run(bench.target().remove(keys, {}));
    REQUIRE(refused.size() == 2);
    check(refused[0].error, far / "job");
    CHECK(bench.keys().empty());

    // One that comes while an upload is under way.
    std::filesystem::create_directory_symlink(precious, far / "other");
    check(bench.error_of([&] { bench.run(upload->finish({})); }), far / "other");
    bench.run(upload->abort());

    std::filesystem::remove_all(far / ".pgbakd-uploads");
    std::filesystem::create_directory_symlink(precious, far / ".pgbakd-uploads");
    CHECK(bench.run(bench.target().sweep(base::SystemClock().now(), {})).uploads == 0);
    check(bench.error_of([&] { bench.put("third/set/a", "x"); }), far / ".pgbakd-uploads");
    CHECK(std::filesystem::exists(precious / "manifest.json"));
    CHECK(std::filesystem::exists(precious / "set/a"));
    CHECK(std::distance(std::filesystem::recursive_directory_iterator(precious), {}) == 3);
}

TEST_CASE("root leaves nothing in a directory target that its owner could not use") {
    if (::geteuid() != 0) {
        std::cout << "SKIPPED: only root leaves what others cannot use\n";
        return;
    }
    const support::TemporaryDirectory directory;
    constexpr uid_t owner = 12345;
    const auto owner_of = [](const std::filesystem::path& path) {
        struct stat found {};
        REQUIRE(::lstat(path.c_str(), &found) == 0);
        return found.st_uid;
    };
    const auto far = directory / "far";
    std::filesystem::create_directory(far);
    REQUIRE(::chown(far.c_str(), owner, owner) == 0);
    Custom::options = {.name = "nas", .path = far};
    Bench<Custom> bench;
    REQUIRE(bench.ready());
    bench.put("job/set/a", "x");
    for (const auto* path : {".pgbakd-uploads", "job", "job/set"}) CHECK(owner_of(far / path) == owner);
    bench.remove({"job/set/a"});
    CHECK(std::filesystem::is_empty(far));

    // What was not there before is not there afterwards.
    Custom::options.path = directory / "not/yet";
    Bench<Custom> new_place;
    REQUIRE(new_place.ready());
    new_place.put("job/set/a", "x");
    const auto upload = new_place.run(new_place.target().put("job/set/b", {}, {}));
    new_place.remove({"job/set/a"});
    CHECK(std::filesystem::exists(directory / "not/yet/.pgbakd-uploads"));
    new_place.run(upload->abort());
    CHECK_FALSE(std::filesystem::exists(directory / "not"));
    new_place.put("job/set/a", "x");
    CHECK(new_place.get("job/set/a") == "x");
}

TEST_CASE("a directory target has the room of its file system") {
    const support::SmallDisk disk;
    if (!disk.mounted()) return;
    Custom::options = {.name = "nas", .path = disk.path() / "not/there/yet", .require_mount = true};
    Bench<Custom> bench;
    REQUIRE(bench.ready());
    const auto before = bench.run(bench.target().room({}));
    REQUIRE(before);
    CHECK(before->file_system == disk.path());
    CHECK(before->total == before->available);
    bench.put("job/set/a", noise(100'000));
    const auto after = bench.run(bench.target().room({}));
    REQUIRE(after);
    CHECK(after->total == before->total);
    CHECK(after->available + 100'000 <= before->available);
}

TEST_CASE("without its mount a directory target does not tell what is below it") {
    const support::TemporaryDirectory plain;
    Custom::options = {.name = "nas", .path = plain / "far", .require_mount = true};
    Bench<Custom> bench;
    REQUIRE(bench.ready());
    const auto error = bench.error_of([&] { (void)bench.run(bench.target().room({})); });
    INFO(error.message());
    CHECK(error.message().find("mount") != std::string::npos);
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
    CHECK(no_uploads(disk.path() / "far"));
    bench.put("job/set/a", noise(100'000));
}

TEST_CASE("a relative path is no directory target") {
    async::Pool pool(1, 0);
    const base::SystemClock clock;
    CHECK_THROWS_AS(target::make_directory_target({.name = "nas", .path = "mnt"}, pool, clock), base::Error);
}

TEST_CASE("what is no directory where one has to be is named, and is not taken for another object") {
    const support::TemporaryDirectory directory;
    Custom::options = {.name = "nas", .path = directory / "far"};
    Bench<Custom> bench;
    REQUIRE(bench.ready());
    const auto check = [](const base::Error& error, const std::filesystem::path& path) {
        CHECK(error.code() == ErrorCode::invalid_configuration);
        CHECK(error.message() == path.native() + " is not a directory");
        CHECK_FALSE(error.hint().empty());
    };
    bench.put("a", "x");
    std::ofstream(directory / "far/job") << "x";
    check(bench.error_of([&] { bench.put("job/set/a", "x"); }), directory / "far/job");
    const auto upload = bench.run(bench.target().put("b", {}, {}));
    std::filesystem::rename(directory / "far", directory / "away");
    std::ofstream(directory / "far") << "x";
    check(bench.error_of([&] { bench.run(upload->finish({})); }), directory / "far");
    bench.run(upload->abort());
    check(bench.error_of([&] { bench.put("c", "x"); }), directory / "far");
}

TEST_CASE("a host whose clock is wrong sweeps a directory by the directory's own time") {
    const support::TemporaryDirectory directory;
    std::filesystem::create_directory(directory / "far");
    const WrongClock clock(std::chrono::hours(48));
    Custom::clock = &clock;
    Custom::options = {.name = "nas", .path = directory / "far"};
    Bench<Custom> bench;
    REQUIRE(bench.ready());
    Custom::clock = nullptr;
    const auto leave = [&](const std::string& name, std::chrono::hours age) {
        const auto path = directory / "far/.pgbakd-uploads" / name;
        std::filesystem::create_directories(path.parent_path());
        std::ofstream(path) << "some";
        std::filesystem::last_write_time(path, std::filesystem::file_time_type::clock::now() - age);
    };
    leave("of-another-host", std::chrono::hours(1));
    leave("old", std::chrono::hours(30));
    CHECK(bench.run(bench.target().sweep(clock.now() - std::chrono::hours(24), {})).uploads == 1);
    CHECK(std::filesystem::exists(directory / "far/.pgbakd-uploads/of-another-host"));
}

namespace {

asio::awaitable<void> write_and_finish(target::Upload& upload, async::StopToken stop) {
    const auto chunk = chunk_of(noise(100'000));
    co_await upload.write(chunk, stop);
    co_await upload.finish(stop);
}

// Once the mount's server is back.
std::vector<std::string> keys_when_back(Bench<Custom>& bench) {
    for (;;) {
        try {
            return bench.keys();
        } catch (const base::Error& error) {
            REQUIRE(error.code() == ErrorCode::unreachable);
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
    }
}

}  // namespace

TEST_CASE("a directory whose server is away is given up in time, and is unreachable until it is back") {
    for (const auto call : {HungMount::Call::write, HungMount::Call::flush, HungMount::Call::look}) {
        INFO(static_cast<int>(call));
        const support::TemporaryDirectory directory;
        HungMount mount(directory / "far");
        Custom::options = {.name = "nas", .path = directory / "far"};
        Custom::options.stall_timeout = std::chrono::seconds(1);
        Bench<Custom> bench;
        REQUIRE(bench.ready());
        const auto upload = bench.run(bench.target().put("job/set/a", {}, {}));
        mount.hang(call);
        const auto error = bench.error_of([&] { bench.run(write_and_finish(*upload, {})); });
        INFO(error.message());
        CHECK(error.code() == ErrorCode::timed_out);
        CHECK(error.is_passing());
        CHECK(error.message().find((directory / "far").native() + " has not moved for 1.0 s") != std::string::npos);
        CHECK(error.hint() == "is the server behind " + (directory / "far").native() + " up?");
        for (const auto& next :
             {bench.error_of([&] { bench.put("job/set/b", "x"); }), bench.error_of([&] { bench.get("job/set/a"); }),
              bench.error_of([&] { bench.remove({"job/set/a"}); })}) {
            CHECK(next.code() == ErrorCode::unreachable);
            CHECK(next.is_passing());
        }
        bench.run(upload->abort());
        mount.come_back();
        // What was told to have failed does not come about afterwards.
        CHECK(keys_when_back(bench).empty());
        CHECK(no_uploads(directory / "far"));
        bench.put("job/set/a", "now");
        CHECK(bench.get("job/set/a") == "now");
    }
}

TEST_CASE("a stop does not wait for a directory whose server is away, nor does the end of the process") {
    const support::TemporaryDirectory directory;
    HungMount mount(directory / "far");
    Custom::options = {.name = "nas", .path = directory / "far"};
    Custom::options.stall_timeout = std::chrono::hours(1);
    Bench<Custom> bench;
    REQUIRE(bench.ready());
    async::StopSource source;
    const auto upload = bench.run(bench.target().put("job/set/a", {}, source.token()));
    mount.hang(HungMount::Call::flush);
    mount.when_hung([&] {
        asio::post(bench.io(), [&source] { source.stop({ErrorCode::interrupted, "the daemon is told to stop"}); });
    });
    const auto error = bench.error_of([&] { bench.run(write_and_finish(*upload, source.token())); });
    CHECK(error.message() == "the daemon is told to stop");
    bench.run(upload->abort());
    mount.come_back();
    CHECK(keys_when_back(bench).empty());
    CHECK(no_uploads(directory / "far"));
}
