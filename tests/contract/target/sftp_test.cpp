// What only an SFTP target promises: appended uploads that go on where they were, modes, and a word for each failure.
#include <sys/socket.h>
#include <sys/stat.h>

#include "async/timer.hpp"
#include "bench.hpp"
#include "forwarder.hpp"
#include "support/small_disk.hpp"
#include "wrong_clock.hpp"

using namespace contract;
using base::ErrorCode;

namespace {

class Custom : public Sftp {
  public:
    std::shared_ptr<target::Target> open(async::Pool& pool) const {
        static const base::SystemClock right;
        auto changed = options();
        if (change) change(changed);
        return target::make_sftp_target(changed, pool, clock != nullptr ? *clock : right);
    }
    inline static std::function<void(target::SftpTargetOptions&)> change;
    inline static const base::Clock* clock = nullptr;
};

unsigned mode_of(const std::filesystem::path& path) {
    struct stat found {};
    REQUIRE(::stat(path.c_str(), &found) == 0);
    return found.st_mode & 0777U;
}

std::string content_of(const std::filesystem::path& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
}

// The path relative to the home directory of whoever we log in as.
std::string below_home(const std::filesystem::path& path) {
    const char* const home = std::getenv("HOME");  // NOLINT(concurrency-mt-unsafe)
    return path.lexically_relative(home == nullptr ? "/root" : home);
}

// Such that the way to the server goes over `port`, whose host has the same key.
std::filesystem::path known_hosts_for(std::uint16_t port, const support::TemporaryDirectory& directory) {
    const auto path = directory / "known_hosts";
    std::ofstream(path) << "[127.0.0.1]:" << port << " " << content_of(sftp_file("host_ed25519.pub"));
    return path;
}

constexpr std::uint64_t piece = 64 * 1024;

asio::awaitable<std::string> put_part(target::Target& target, std::string key, std::string content) {
    const auto upload = co_await target.put(std::move(key), {}, {});
    for (std::size_t at = 0; at < content.size(); at += 10'000) {
        const auto chunk = chunk_of(std::string_view(content).substr(at, 10'000));
        co_await upload->write(chunk, {});
    }
    // Until the pieces before have been taken.
    while (upload->checkpoint().find(" " + std::to_string(content.size() / piece * piece) + " ") == std::string::npos)
        co_await async::sleep_for(std::chrono::milliseconds(1), {});
    auto checkpoint = upload->checkpoint();
    co_await upload->suspend();
    co_return checkpoint;
}

struct Resumed {
    std::uint64_t begins_at = 0;
    std::optional<base::Error> error{};
};

asio::awaitable<Resumed> put_rest(target::Target& target, std::string key, std::string content,
                                  std::string checkpoint) {
    target::PutOptions options;
    options.checkpoint = std::move(checkpoint);
    const auto upload = co_await target.put(std::move(key), options, {});
    Resumed resumed{.begins_at = upload->begins_at()};
    std::exception_ptr failure;
    try {
        const auto chunk = chunk_of(std::string_view(content).substr(resumed.begins_at));
        co_await upload->write(chunk, {});
        co_await upload->finish({});
    } catch (...) {
        failure = std::current_exception();
    }
    if (failure) {
        co_await upload->abort();
        resumed.error = base::to_error(failure);
    }
    co_return resumed;
}

}  // namespace

TEST_CASE("SFTP: directories are their owner's alone, and so are files") {
    Custom::change = [](auto& options) { options.path += "/not/there yet/"; };
    Bench<Custom> bench;
    if (!bench.ready()) return;
    CHECK(bench.keys().empty());
    bench.put("job/set/a", "x");
    const auto root = bench.place.path() / "not/there yet";
    for (const std::string path : {"", "job", "job/set", ".pgbakd-uploads"}) CHECK(mode_of(root / path) == 0700);
    CHECK(mode_of(root / "job/set/a") == 0600);
    bench.remove({"job/set/a"});
    CHECK_FALSE(std::filesystem::exists(root / "job"));
    CHECK(std::filesystem::exists(root));
}

TEST_CASE("SFTP: a path may be below the home directory, and begin or end with anything") {
    if (!sftp_is_there()) return;
    for (const std::string name : {"plain", "~tilde", "-dash", "qu\"o'te \\ %41"}) {
        INFO(name);
        const std::string home = name == "plain" ? "~/" : "";
        Custom::change = [&](auto& options) { options.path = home + below_home(options.path + "/" + name); };
        Bench<Custom> bench;
        REQUIRE(bench.ready());
        bench.put("job/~a", "content");
        CHECK(content_of(bench.place.path() / name / "job/~a") == "content");
        CHECK(bench.get("job/~a") == "content");
        CHECK(bench.keys() == std::vector<std::string>{"job/~a"});
        CHECK(bench.remove({"job/~a"}).empty());
        CHECK(bench.keys().empty());
    }
}

TEST_CASE("SFTP: what is no object is not listed, whatever its name") {
    Custom::change = {};
    Bench<Custom> bench;
    if (!bench.ready()) return;
    const auto root = bench.place.path();
    bench.put("job/object", "12345");
    std::filesystem::create_symlink("/etc/passwd", root / "job/passwd");
    std::filesystem::create_symlink("/etc", root / "job/etc");
    std::filesystem::create_directory(root / "job/empty");
    CHECK(bench.keys() == std::vector<std::string>{"job/object"});
    // Lines that cannot be told from two: names are asked for one by one.
    std::ofstream(root / "job/new\nline") << "x";
    const auto page = bench.run(bench.target().list("job/", "", 10, {}));
    const auto found = std::find_if(page.entries.begin(), page.entries.end(),
                                    [](const target::Entry& entry) { return entry.key == "job/object"; });
    REQUIRE(found != page.entries.end());
    CHECK(found->size == 5);
}

TEST_CASE("SFTP: times in a list are those of the files, whatever zone the server is in") {
    Custom::change = {};
    Bench<Custom> bench;
    if (!bench.ready()) return;
    using namespace std::chrono;
    const auto now = std::filesystem::file_time_type::clock::now();
    for (const auto& [name, age] : {std::pair("young", hours(3)), std::pair("old", hours(24 * 400))}) {
        bench.put(name, "x");
        std::filesystem::last_write_time(bench.place.path() / name, now - age);
    }
    const auto page = bench.run(bench.target().list("", "", 10, {}));
    REQUIRE(page.entries.size() == 2);
    const auto clock = base::SystemClock().now();
    CHECK(abs(clock - hours(24 * 400) - page.entries[0].modified) < hours(25));
    CHECK(abs(clock - hours(3) - page.entries[1].modified) < minutes(2));
}

TEST_CASE("SFTP: an upload goes on where it was, from its checkpoint") {
    Custom::change = [](auto& options) { options.piece_size = piece; };
    Bench<Custom> bench;
    if (!bench.ready()) return;
    const auto content = noise(300'000);
    const auto first = content.substr(0, 3 * piece + 1000);
    struct Row {
        std::string_view what;
        std::function<void(const std::filesystem::path&)> change;
        std::uint64_t begins_at;
        std::optional<ErrorCode> error{};
    };
    const auto append = [&](std::size_t begin, std::size_t size) {
        return [&content, begin, size](const std::filesystem::path& file) {
            std::ofstream(file, std::ios::app) << content.substr(begin, size);
        };
    };
    for (const auto& row : {
             Row{"as it was left", [](const auto&) {}, 3 * piece},
             Row{"more has arrived than was known", append(3 * piece, 777), 3 * piece},
             Row{"a whole piece more", append(3 * piece, piece), 3 * piece},
             Row{"bytes of somebody else", append(0, 777), 3 * piece, ErrorCode::corrupt},
             Row{"far more than we can have sent", append(0, 200'000), 0},
             Row{"less than was taken", [](const auto& file) { std::filesystem::resize_file(file, 3 * piece - 1); }, 0},
             Row{"zeros at the end, as after a crash of the server",
                 [](const auto& file) {
                     std::filesystem::resize_file(file, 3 * piece - 4096);
                     std::filesystem::resize_file(file, 3 * piece);
                 },
                 0},
             Row{"gone", [](const auto& file) { std::filesystem::remove(file); }, 0},
         }) {
        INFO(row.what);
        const auto checkpoint = bench.run(put_part(bench.target(), "job/a", first));
        REQUIRE(bench.place.leftovers() == 1);
        CHECK(bench.keys().empty());
        row.change(std::filesystem::directory_iterator(bench.place.uploads())->path());
        const auto resumed = bench.run(put_rest(bench.target(), "job/a", content, checkpoint));
        CHECK(resumed.begins_at == row.begins_at);
        CHECK(resumed.error.has_value() == row.error.has_value());
        if (resumed.error && row.error) {
            CHECK(resumed.error->code() == *row.error);
            CHECK(resumed.error->is_passing());
        } else {
            CHECK(bench.get("job/a") == content);
        }
        CHECK(bench.place.leftovers() == 0);
        CHECK(bench.remove({"job/a"}).empty());
    }
    const auto resumed = bench.run(put_rest(bench.target(), "job/a", content, "1 ../../etc 5 5 x"));
    CHECK(resumed.begins_at == 0);
    CHECK(bench.get("job/a") == content);
}

TEST_CASE("SFTP: a connection that is lost in mid-stream is made again, and no byte is there twice") {
    if (!sftp_is_there()) return;
    const support::TemporaryDirectory directory;
    const auto port = static_cast<std::uint16_t>(std::stoi(sftp_fact("port")));
    const auto content = noise(1'000'000);
    for (const std::uint64_t after : {std::uint64_t{3000}, std::uint64_t{50'000}, std::uint64_t{200'000},
                                      std::uint64_t{333'333}, std::uint64_t{900'000}}) {
        INFO(after);
        Forwarder forwarder(port, Forwarder::Fault::reset, after);
        Custom::change = [&](auto& options) {
            options.piece_size = piece;
            options.server.port = forwarder.port();
            options.server.known_hosts = known_hosts_for(forwarder.port(), directory);
        };
        Bench<Custom> bench;
        REQUIRE(bench.ready());
        try {
            bench.put("job/a", content);
        } catch (const base::Error& error) {
            // Before the upload had begun; that is for with_retry().
            INFO(error.message());
            CHECK(after == 3000);
            CHECK(error.code() == ErrorCode::unreachable);
            CHECK(error.is_passing());
            bench.put("job/a", content);
        }
        CHECK(forwarder.has_happened());
        CHECK(forwarder.connections() > 1);
        CHECK(bench.get("job/a") == content);
        CHECK(bench.place.leftovers() == 0);
    }
}

TEST_CASE("SFTP: a connection that is lost says nothing of what is there, whenever that is") {
    if (!sftp_is_there()) return;
    const support::TemporaryDirectory directory;
    const auto port = static_cast<std::uint16_t>(std::stoi(sftp_fact("port")));
    const std::vector<std::string> all{"job/set/a", "job/set/b", "job/set/c"};
    bool in_time = true;
    // From the first bytes of the login to the last question.
    for (std::uint64_t after = 50; in_time; after += after < 2500 ? 300 : 70) {
        INFO(after);
        Forwarder forwarder(port, Forwarder::Fault::reset, after);
        Custom::change = [&](auto& options) {
            options.server.port = forwarder.port();
            options.server.known_hosts = known_hosts_for(forwarder.port(), directory);
            options.retry.attempts = 1;
        };
        Bench<Custom> bench;
        REQUIRE(bench.ready());
        std::filesystem::create_directories(bench.place.path() / "job/set");
        for (const auto& key : all) std::ofstream(bench.place.path() / key) << "content";
        // After answers "no such file" and "failure", which libssh2 remembers.
        const std::vector<std::function<bool()>> questions{
            [&] { return bench.stat("job/set/a").has_value(); },
            [&] { return bench.get("job/set/b") == "content"; },
            [&] { return !bench.stat("job/none"); },
            [&] { return bench.keys() == all; },
            [&] { return bench.remove({"job/set/c"}).empty(); },
            [&] { return !std::filesystem::exists(bench.place.path() / "job/set/c"); },
            [&] { return bench.get("job/set/a") == "content"; },
        };
        for (std::size_t i = 0; i < questions.size(); ++i) {
            INFO("question " << i);
            std::optional<base::Error> failure;
            bool right = false;
            try {
                right = questions[i]();
            } catch (const base::Error& error) {
                failure = error;
            }
            if (failure) {
                INFO(failure->message() << " / " << failure->hint());
                CHECK(failure->is_passing());
                CHECK((failure->code() == ErrorCode::unreachable || failure->code() == ErrorCode::server_error));
                CHECK(forwarder.has_happened());
                right = questions[i]();  // answered when it is asked again
            }
            CHECK(right);
        }
        in_time = forwarder.has_happened();
        REQUIRE(after < 20'000);
    }
}

TEST_CASE("SFTP: a server that falls silent is given up in time, and a stop does not wait for that") {
    if (!sftp_is_there()) return;
    const support::TemporaryDirectory directory;
    const auto port = static_cast<std::uint16_t>(std::stoi(sftp_fact("port")));
    for (const bool is_stopped : {false, true}) {
        INFO(is_stopped);
        Forwarder forwarder(port, Forwarder::Fault::stall, 400'000);
        Custom::change = [&](auto& options) {
            options.piece_size = piece;
            options.retry.attempts = 1;
            options.server.stall_timeout = std::chrono::milliseconds(is_stopped ? 60'000 : 3000);
            options.server.port = forwarder.port();
            options.server.known_hosts = known_hosts_for(forwarder.port(), directory);
        };
        Bench<Custom> bench;
        REQUIRE(bench.ready());
        async::StopSource source;
        // The reactor goes on meanwhile.
        auto last = std::chrono::steady_clock::now();
        std::chrono::steady_clock::duration longest{0};
        asio::steady_timer tick(bench.io());
        std::function<void()> next = [&] {
            tick.expires_after(std::chrono::milliseconds(5));
            tick.async_wait([&](const boost::system::error_code& failure) {
                const auto now = std::chrono::steady_clock::now();
                longest = std::max(longest, now - last);
                last = now;
                if (is_stopped && forwarder.has_happened()) source.stop({ErrorCode::cancelled, "enough"});
                if (!failure) next();
            });
        };
        next();
        const auto begin = std::chrono::steady_clock::now();
        const auto put = [&]() -> asio::awaitable<void> {
            const auto upload = co_await bench.target().put("job/a", {}, source.token());
            std::exception_ptr failure;
            try {
                const auto chunk = chunk_of(noise(1'000'000));
                co_await upload->write(chunk, source.token());
                co_await upload->finish(source.token());
            } catch (...) {
                failure = std::current_exception();
            }
            co_await upload->abort();
            tick.cancel();
            next = [] {};
            std::rethrow_exception(failure);
        };
        const auto error = bench.error_of([&] { bench.run(put()); });
        INFO(error.message());
        CHECK(error.code() == (is_stopped ? ErrorCode::cancelled : ErrorCode::timed_out));
        CHECK(error.is_passing() == !is_stopped);
        CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(20));
        CHECK(longest < std::chrono::seconds(2));
        CHECK(bench.keys().empty());
        CHECK(bench.place.leftovers() == 0);
    }
}

TEST_CASE("SFTP: a server that cannot be used says what it lacks") {
    if (!sftp_is_there()) return;
    const auto listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    REQUIRE(::bind(listener, reinterpret_cast<const sockaddr*>(&address), size) == 0);
    REQUIRE(::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    const auto port = ntohs(address.sin_port);
    struct Row {
        std::function<void(target::SftpTargetOptions&)> change;
        ErrorCode code;
        bool passing;
        std::string_view words, hint;
    };
    const std::vector<Row> rows{
        {[&](auto& options) { options.server.port = port; }, ErrorCode::unreachable, true, "connection refused",
         "sshd"},
        {[&](auto& options) {
             REQUIRE(::listen(listener, 5) == 0);
             options.server.port = port;
             options.server.connect_timeout = std::chrono::milliseconds(300);
         },
         ErrorCode::timed_out, true, "no connection in time", "network"},
        {[](auto& options) { options.server.port = static_cast<std::uint16_t>(std::stoi(sftp_fact("bare_port"))); },
         ErrorCode::unsupported, false, "no SFTP subsystem", "Subsystem sftp internal-sftp"},
        {[](auto& options) { options.server.host = "nowhere.invalid"; }, ErrorCode::unreachable, true,
         "cannot be resolved", "DNS"},
        {[](auto& options) { options.server.user = "nobody-of-that-name"; }, ErrorCode::authentication_failed, false,
         "not accepted for user nobody-of-that-name", "authorized_keys"},
        {[](auto& options) { options.path = "/proc/nothing"; }, ErrorCode::not_found, false,
         "no such file or directory", "path"},
    };
    for (const auto& row : rows) {
        Custom::change = row.change;
        Bench<Custom> bench;
        REQUIRE(bench.ready());
        const auto error = bench.error_of([&] { bench.put("a", "x"); });
        INFO(error.message() << " / " << error.hint());
        CHECK(error.code() == row.code);
        CHECK(error.is_passing() == row.passing);
        CHECK(error.message().find(row.words) != std::string::npos);
        CHECK(error.hint().find(row.hint) != std::string::npos);
        CHECK(error.message().find("sftp://") != std::string::npos);
    }
    ::close(listener);
    Custom::change = [](auto& options) { options.server.user.clear(); };
    Bench<Custom> bench;
    CHECK(bench.error_of([&] { (void)bench.ready(); }).code() == ErrorCode::invalid_argument);
}

TEST_CASE("SFTP: a full disk is told, though the protocol has no word for it, and the upload leaves nothing") {
    const support::SmallDisk disk;
    if (!disk.mounted()) return;
    Custom::change = [&](auto& options) {
        options.path = disk.path() / "far";
        options.piece_size = piece;
    };
    Bench<Custom> bench;
    if (!bench.ready()) return;
    const auto error = bench.error_of([&] { bench.put("job/set/a", noise(1'000'000)); });
    INFO(error.message() << " / " << error.hint());
    CHECK(error.code() == ErrorCode::no_space);
    CHECK(error.hint().find("available there") != std::string::npos);
    CHECK_FALSE(error.is_passing());
    CHECK(std::filesystem::is_empty(disk.path() / "far/.pgbakd-uploads"));
    bench.put("job/set/a", noise(100'000));
    CHECK(bench.get("job/set/a") == noise(100'000));
}

TEST_CASE("SFTP: a host whose clock is wrong sweeps by the server's time") {
    if (!sftp_is_there()) return;
    const WrongClock clock(std::chrono::hours(48));
    Custom::change = {};
    Custom::clock = &clock;
    Bench<Custom> bench;
    REQUIRE(bench.ready());
    Custom::clock = nullptr;
    bench.place.leave_upload("of-another-host", 5, std::chrono::hours(1));
    bench.place.leave_upload("old", 5, std::chrono::hours(30));
    CHECK(bench.run(bench.target().sweep(clock.now() - std::chrono::hours(24), {})).uploads == 1);
    CHECK(std::filesystem::exists(bench.place.uploads() / "of-another-host"));
    CHECK(bench.place.leftovers() == 1);
}
