// Against a real datagram socket in the place of the service manager.
#include "systemd/notifier.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>

#include "support/common.hpp"

namespace pgbakd::systemd {
namespace {

class Manager {
  public:
    // `address` as in $NOTIFY_SOCKET.
    explicit Manager(std::string address)
        : address_(std::move(address)), socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
        sockaddr_un name{};
        name.sun_family = AF_UNIX;
        std::memcpy(name.sun_path, address_.data(), address_.size());
        if (address_.front() == '@') name.sun_path[0] = '\0';
        const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address_.size());
        REQUIRE(::bind(socket_, reinterpret_cast<const sockaddr*>(&name), length) == 0);
    }
    Manager(const Manager&) = delete;
    Manager& operator=(const Manager&) = delete;
    ~Manager() {
        ::close(socket_);
        if (address_.front() == '/') std::filesystem::remove(address_);
    }
    [[nodiscard]] std::string heard() const {
        std::string text(64 * 1024, '\0');
        const auto length = ::recv(socket_, text.data(), text.size(), 0);
        if (length < 0) return "nothing";
        text.resize(static_cast<std::size_t>(length));
        return text;
    }
    [[nodiscard]] const std::string& address() const { return address_; }

  private:
    std::string address_;
    int socket_;
};

std::string own_path() {
    return (std::filesystem::temp_directory_path() / ("pgbakd-notify-" + std::to_string(::getpid()))).string();
}

Environment with_socket(const std::string& address) {
    Environment environment;
    environment.notify_socket = address;
    return environment;
}

TEST_CASE("each message arrives as sd_notify(3) has it") {
    for (const auto& address : {own_path(), "@pgbakd-notify-" + std::to_string(::getpid())}) {
        INFO(address);
        const Manager manager(address);
        const auto notifier = Notifier::from_environment(with_socket(address));
        CHECK(notifier.active());
        CHECK(notifier.ready("6 jobs"));
        CHECK(manager.heard() == "READY=1\nSTATUS=6 jobs");
        CHECK(notifier.status("idle"));
        CHECK(manager.heard() == "STATUS=idle");
        CHECK(notifier.reloading(base::SteadyTime(std::chrono::microseconds(1'234'567))));
        CHECK(manager.heard() == "RELOADING=1\nMONOTONIC_USEC=1234567");
        CHECK(notifier.stopping("2 runs are ending"));
        CHECK(manager.heard() == "STOPPING=1\nSTATUS=2 runs are ending");
        CHECK(notifier.watchdog());
        CHECK(manager.heard() == "WATCHDOG=1");
        CHECK(notifier.extend_timeout(std::chrono::seconds(30)));
        CHECK(manager.heard() == "EXTEND_TIMEOUT_USEC=30000000");
        CHECK(manager.heard() == "nothing");
    }
}

TEST_CASE("a status cannot smuggle in another message, and is bounded") {
    const Manager manager(own_path());
    const auto notifier = Notifier::from_environment(with_socket(manager.address()));
    CHECK(notifier.status("shop\nSTOPPING=1\n\xff"));
    CHECK(manager.heard() == "STATUS=shop?STOPPING=1??");
    CHECK(notifier.ready(std::string(100'000, 'x')));
    const auto heard = manager.heard();
    CHECK(heard.size() <= Notifier::max_status_bytes + 16);
    CHECK(heard.find("xxx…") != std::string::npos);
}

TEST_CASE("without a listener all is well") {
    for (const auto& environment :
         {Environment{}, with_socket("relative/path"), with_socket("@"), with_socket("/" + std::string(200, 'x'))}) {
        const auto notifier = Notifier::from_environment(environment);
        CHECK_FALSE(notifier.active());
        CHECK(notifier.ready("ready"));
        CHECK(notifier.watchdog());
    }
    CHECK_FALSE(Notifier().active());
}

TEST_CASE("a listener that is gone is told of, not thrown") {
    const auto notifier = Notifier::from_environment(with_socket("/nonexistent/pgbakd/notify"));
    CHECK(notifier.active());
    CHECK_FALSE(notifier.ready("ready"));
    CHECK_FALSE(notifier.watchdog());
}

TEST_CASE("who is watched, and how closely") {
    const auto own = std::to_string(::getpid());
    struct Row {
        std::optional<std::string> usec, pid;
        std::optional<std::int64_t> interval;
    };
    for (const auto& row :
         {Row{{}, {}, {}}, Row{"30000000", {}, 30'000'000}, Row{"30000000", own, 30'000'000}, Row{"30000000", "1", {}},
          Row{"30000000", "x", {}}, Row{"0", own, {}}, Row{"-5", own, {}}, Row{"30s", own, {}},
          Row{"18446744073709551615", own, {}}, Row{"99999999999999999999", own, {}}}) {
        INFO(row.usec.value_or("unset") << " " << row.pid.value_or("unset"));
        auto environment = with_socket("/run/notify");
        environment.watchdog_usec = row.usec;
        environment.watchdog_pid = row.pid;
        const auto interval = Notifier::from_environment(environment).watchdog_interval();
        CHECK(interval.has_value() == row.interval.has_value());
        if (interval && row.interval) CHECK(interval->count() == *row.interval);
    }
    Environment deaf;
    deaf.watchdog_usec = "30000000";
    CHECK_FALSE(Notifier::from_environment(deaf).watchdog_interval());
}

TEST_CASE("the environment of the process: what is empty is unset") {
    ::setenv("NOTIFY_SOCKET", "", 1);
    ::setenv("CREDENTIALS_DIRECTORY", "/run/credentials/pgbakd.service", 1);
    const auto environment = Environment::of_process();
    ::unsetenv("NOTIFY_SOCKET");
    ::unsetenv("CREDENTIALS_DIRECTORY");
    CHECK_FALSE(environment.notify_socket);
    CHECK(environment.credentials_directory == "/run/credentials/pgbakd.service");
}

}  // namespace
}  // namespace pgbakd::systemd
