// What only rclone promises: its configuration stays as it is, and no secret is seen.
#include <sys/stat.h>

#include "bench.hpp"
#include "support/small_disk.hpp"
#include "target/placing.hpp"
#include "wrong_clock.hpp"

using namespace contract;
using base::ErrorCode;

namespace {

// rclone with options of the test's own choice.
class Custom : public Rclone {
  public:
    std::shared_ptr<target::Target> open(async::Pool& pool) const {
        auto changed = options();
        if (change) change(changed);
        static const base::SystemClock right;
        return target::make_rclone_target(std::move(changed), pool, clock == nullptr ? right : *clock);
    }
    inline static const base::Clock* clock = nullptr;
    inline static std::function<void(target::RcloneOptions&)> change;
};

// A program that stands for rclone: it notes its command line and goes on as rclone.
void write_program(const std::filesystem::path& path, const std::string& text) {
    std::ofstream(path) << "#!/bin/sh\n" << text;
    std::filesystem::permissions(path, std::filesystem::perms(0700));
}

std::string content_of(const std::filesystem::path& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
}

}  // namespace

TEST_CASE("rclone's configuration file is read and never written") {
    Custom::change = {};
    Bench<Custom> bench;
    if (!bench.ready()) return;
    const auto file = bench.place.config_file();
    std::filesystem::permissions(file, std::filesystem::perms(0600));
    const auto before = content_of(file);
    struct stat first {};
    REQUIRE(::stat(file.c_str(), &first) == 0);
    bench.put("job/a", "x");
    // What the program writes into its own copy does not come back.
    const auto run = bench.place.directory() / "run";
    std::filesystem::path copy;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(run))
        if (entry.is_regular_file()) copy = entry.path();
    REQUIRE(!copy.empty());
    struct stat mode {};
    REQUIRE(::stat(copy.c_str(), &mode) == 0);
    CHECK((mode.st_mode & 0777U) == 0600);
    std::ofstream(copy, std::ios::app) << "[fresh]\ntype = local\n";
    bench.get("job/a");
    struct stat second {};
    REQUIRE(::stat(file.c_str(), &second) == 0);
    CHECK(content_of(file) == before);
    CHECK(first.st_ino == second.st_ino);
    CHECK(first.st_ctim.tv_nsec == second.st_ctim.tv_nsec);
    CHECK(std::distance(std::filesystem::directory_iterator(file.parent_path()), {}) == 1);
    CHECK(content_of(copy).find("[fresh]") != std::string::npos);
    // One that the administrator changes is read anew.
    std::ofstream(file, std::ios::app) << "# changed\n";
    bench.get("job/a");
    CHECK(content_of(copy).find("[fresh]") == std::string::npos);
    CHECK(content_of(copy).ends_with("# changed\n"));
}

TEST_CASE("the copy of rclone's configuration goes with the target") {
    Custom::change = {};
    const support::TemporaryDirectory directory;
    {
        Bench<Custom> bench;
        if (!bench.ready()) return;
        Custom::change = [&](target::RcloneOptions& options) { options.runtime_directory = directory / "run"; };
        REQUIRE(bench.ready());
        bench.put("a", "x");
        CHECK_FALSE(std::filesystem::is_empty(directory / "run"));
    }
    CHECK(std::filesystem::is_empty(directory / "run"));
}

TEST_CASE("secrets reach rclone by its environment, and are in no command line") {
    const support::TemporaryDirectory directory;
    const auto program = directory / "rclone";
    Custom::change = [&](target::RcloneOptions& options) {
        write_program(program, "printf '%s\\n' \"$@\" >>" + (directory / "argv").native() +
                                   "\nprintf '%s' \"$SECRET\" >" + (directory / "secret").native() + "\nexec " +
                                   options.program.native() + " \"$@\"\n");
        options.program = program;
        options.environment.push_back({"SECRET", base::Secret("hunter2")});
    };
    Bench<Custom> bench;
    if (!bench.ready()) return;
    bench.put("a", "x");
    CHECK(bench.get("a") == "x");
    bench.keys();
    bench.remove({"a"});
    CHECK(content_of(directory / "secret") == "hunter2");
    CHECK(content_of(directory / "argv").find("rcat\n--\nstore:.pgbakd-uploads/") != std::string::npos);
    CHECK(content_of(directory / "argv").find("hunter2") == std::string::npos);
    // A server that is silent is rclone's to give up.
    CHECK(content_of(directory / "argv").find("--contimeout\n20s\n--timeout\n10m\nrcat\n") != std::string::npos);
    CHECK(content_of(directory / "argv").find("--contimeout\n20s\n--timeout\n4m\nlsjson\n") != std::string::npos);
}

TEST_CASE("what rclone cannot do is told in its own words, with what to do") {
    struct Row {
        std::function<void(target::RcloneOptions&)> change;
        ErrorCode code;
        bool passing;
        std::string_view words, hint;
    };
    for (const auto& row : {
             Row{[](auto& options) { options.remote = "stroe:"; }, ErrorCode::invalid_configuration, false,
                 "didn't find section in config file", "rclone listremotes"},
             Row{[](auto& options) { options.config_file = "/nowhere/rclone.conf"; }, ErrorCode::invalid_configuration,
                 false, "/nowhere/rclone.conf does not exist", "config_file"},
             Row{[](auto& options) { options.program = "/nowhere/rclone"; }, ErrorCode::client_missing, false,
                 "/nowhere/rclone", "install"},
             Row{[](auto& options) { options.remote = ":webdav,url=\"http://127.0.0.1:1\":"; }, ErrorCode::unreachable,
                 true, "connection refused", ""},
         }) {
        Custom::change = row.change;
        Bench<Custom> bench;
        if (!bench.ready()) return;
        const auto error = bench.error_of([&] { bench.keys(); });
        INFO(error.message() << " / " << error.hint());
        CHECK(error.code() == row.code);
        CHECK(error.is_passing() == row.passing);
        CHECK(error.message().find(row.words) != std::string::npos);
        CHECK(error.hint().find(row.hint) != std::string::npos);
    }
    Custom::change = [](auto& options) { options.remote = "--help"; };
    Bench<Custom> bench;
    CHECK(bench.error_of([&] { (void)bench.ready(); }).code() == ErrorCode::invalid_argument);
}

TEST_CASE("a full remote of rclone says so in mid-stream, and the upload leaves nothing") {
    const support::SmallDisk disk;
    if (!disk.mounted()) return;
    Custom::change = [&](target::RcloneOptions& options) { options.remote = disk.path().native(); };
    Bench<Custom> bench;
    if (!bench.ready()) return;
    const auto error = bench.error_of([&] { bench.put("job/set/a", noise(20'000'000)); });
    INFO(error.message());
    CHECK(error.code() == ErrorCode::no_space);
    CHECK_FALSE(error.hint().empty());
    CHECK(bench.keys().empty());
    bench.put("job/set/a", noise(100'000));
}

TEST_CASE("an rclone that is killed in mid-stream fails the upload, which leaves nothing and may be tried again") {
    const support::TemporaryDirectory directory;
    const auto program = directory / "rclone";
    Custom::change = [&](target::RcloneOptions& options) {
        // Only the upload: reads a little of it, stores that under the upload's name, and is gone.
        write_program(program, "case \" $* \" in *' rcat '*) head -c 300000 | " + options.program.native() +
                                   " \"$@\"; kill -9 $$;; esac\nexec " + options.program.native() + " \"$@\"\n");
        options.program = program;
    };
    Bench<Custom> bench;
    if (!bench.ready()) return;
    const auto error = bench.error_of([&] { bench.put("job/set/a", noise(20'000'000)); });
    INFO(error.message());
    CHECK(error.code() == ErrorCode::program_failed);
    CHECK(error.is_passing());
    CHECK(bench.keys().empty());
    CHECK(bench.place.leftovers() == 0);
}

TEST_CASE("a removal that rclone fails at is refused only where the remote denies it, and else an error") {
    for (const bool denied : {false, true}) {
        CAPTURE(denied);
        const support::TemporaryDirectory directory;
        const auto program = directory / "rclone";
        Custom::change = [&](target::RcloneOptions& options) {
            write_program(program, "case \" $* \" in *' deletefile '*) echo '" +
                                       std::string(denied ? "AccessDenied: Access Denied" : "account suspended") +
                                       "' >&2; exit 7;; esac\nexec " + options.program.native() + " \"$@\"\n");
            options.program = program;
        };
        Bench<Custom> bench;
        if (!bench.ready()) return;
        bench.put("job/set/a", "a");
        if (denied)
            CHECK(bench.remove({"job/set/a"}).size() == 1);
        else
            CHECK(bench.error_of([&] { bench.remove({"job/set/a"}); }).code() == ErrorCode::program_failed);
    }
}

TEST_CASE("a host whose clock is wrong sweeps an rclone remote by the remote's own time") {
    const WrongClock clock(std::chrono::hours(48));
    Custom::change = {};
    Custom::clock = &clock;
    Bench<Custom> bench;
    const bool ready = bench.ready();
    Custom::clock = nullptr;
    if (!ready) return;
    bench.place.leave_upload("of-another-host", 5, std::chrono::hours(1));
    bench.place.leave_upload("old", 5, std::chrono::hours(30));
    CHECK(bench.run(bench.target().sweep(clock.now() - std::chrono::hours(24), {})).uploads == 1);
    CHECK(std::filesystem::exists(bench.place.uploads() / "of-another-host"));
    CHECK(bench.place.leftovers() == 1);
}

TEST_CASE("what rclone places and finds to be another one afterwards is known to be ours, and another's is not") {
    for (const bool ours : {true, false}) {
        CAPTURE(ours);
        const support::TemporaryDirectory directory;
        const auto program = directory / "rclone";
        Bench<Custom> bench;
        Custom::change = [&](target::RcloneOptions& options) {
            const auto object = (bench.place.path() / "job/set/a").native();
            const auto truncated = options.program.native() + " \"$@\"; truncate -s 1 " + object;
            const auto taken = "mkdir -p $(dirname " + object + "); echo another >" + object + "; " +
                               options.program.native() + " \"$@\"";
            write_program(program, "case \" $* \" in *' moveto '*) " + (ours ? truncated : taken) +
                                       "; exit $?;; esac\n" + "exec " + options.program.native() + " \"$@\"\n");
            options.program = program;
        };
        if (!bench.ready()) return;
        bool placed = false;
        const auto put = [&]() -> asio::awaitable<void> {
            const auto upload = co_await bench.target().put("job/set/a", {}, {});
            const auto chunk = chunk_of("some bytes");
            co_await upload->write(chunk, {});
            std::exception_ptr failure;
            try {
                co_await upload->finish({});
            } catch (...) {
                failure = std::current_exception();
            }
            placed = target::has_placed(*upload);
            co_await upload->abort();
            if (failure) std::rethrow_exception(failure);
        };
        const auto error = bench.error_of([&] { bench.run(put()); });
        CHECK(error.code() == (ours ? ErrorCode::corrupt : ErrorCode::conflict));
        CHECK(placed == ours);
        CHECK(bench.place.leftovers() == 0);
    }
    Custom::change = {};
}

TEST_CASE("an rclone that does nothing any more is given up in time") {
    struct Row {
        std::string verb;
        std::string script;  // of that verb, before it stops itself
    };
    for (const auto& row : {Row{"rcat", "head -c 300000 >/dev/null"}, Row{"rcat", "cat >/dev/null"}, Row{"lsjson", ":"},
                            Row{"moveto", ":"}}) {
        INFO(row.verb << " " << row.script);
        const support::TemporaryDirectory directory;
        const auto program = directory / "rclone";
        Custom::change = [&](target::RcloneOptions& options) {
            write_program(program, "case \" $* \" in *' " + row.verb + " '*) " + row.script +
                                       "; kill -STOP $$;; esac\nexec " + options.program.native() + " \"$@\"\n");
            options.program = program;
            options.stall_timeout = std::chrono::milliseconds(1500);
        };
        Bench<Custom> bench;
        if (!bench.ready()) return;
        target::PutOptions options;
        if (row.verb != "lsjson") options.existing = target::Existing::replace;
        const auto error = bench.error_of([&] { bench.put("job/set/a", noise(20'000'000), options); });
        INFO(error.message());
        CHECK(error.code() == ErrorCode::timed_out);
        CHECK(error.is_passing());
        CHECK(error.message().find("rclone " + row.verb + " of ") != std::string::npos);
        CHECK(bench.place.leftovers() == 0);
    }
}

TEST_CASE("an rclone that is slow is not given up while bytes move") {
    const support::TemporaryDirectory directory;
    const auto program = directory / "rclone";
    // Longer than the limit in all, with pauses far below it.
    Custom::change = [&](target::RcloneOptions& options) {
        write_program(program,
                      "case \" $* \" in *' rcat '*) for i in 1 2 3 4 5 6 7 8 9 10 11 12; do sleep 0.5; head -c "
                      "100000 /dev/zero >/dev/null; : $(head -c 100000 /dev/zero | tr '\\0' x); done;; esac\nexec " +
                          options.program.native() + " \"$@\"\n");
        options.program = program;
        options.stall_timeout = std::chrono::seconds(5);
    };
    Bench<Custom> bench;
    if (!bench.ready()) return;
    bench.put("job/set/a", noise(5'000'000));
    CHECK(bench.get("job/set/a") == noise(5'000'000));
}

TEST_CASE("a stopped rclone upload waits little for its removal") {
    const support::TemporaryDirectory directory;
    const auto program = directory / "rclone";
    Custom::change = [&](target::RcloneOptions& options) {
        write_program(program, "case \" $* \" in *' deletefile '*) touch " + (directory / "asked").native() +
                                   "; exec sleep 1000;; esac\nexec " + options.program.native() + " \"$@\"\n");
        options.program = program;
    };
    Bench<Custom> bench;
    if (!bench.ready()) return;
    async::StopSource source;
    const auto put_and_abort = [&]() -> asio::awaitable<void> {
        const auto upload = co_await bench.target().put("job/set/a", {}, source.token());
        source.stop({ErrorCode::interrupted, "the daemon is told to stop"});
        co_await upload->abort();
    };
    const auto begin = std::chrono::steady_clock::now();
    bench.run(put_and_abort());
    CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(30));
    CHECK(std::filesystem::exists(directory / "asked"));
}
