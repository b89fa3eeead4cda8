#include "systemd/notifier.hpp"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstring>
#include <exception>

#include "base/text.hpp"

namespace pgbakd::systemd {
namespace {

// sd_notify() itself asks the environment at each call; the protocol is public and stable (sd_notify(3), "Standalone
// Implementations"), so the address is kept as a value instead.

std::optional<std::uint64_t> to_number(std::string_view text) noexcept {
    std::uint64_t number = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (failure != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return number;
}

bool is_usable_address(std::string_view address) noexcept {
    return address.size() >= 2 && address.size() < sizeof(sockaddr_un::sun_path) &&
           (address.front() == '/' || address.front() == '@');
}

// Closes the socket, whatever happens to the message.
struct Socket {
    int number = -1;
    Socket() noexcept : number(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {}
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;
    ~Socket() {
        if (number >= 0) ::close(number);
    }
};

std::string one_line(std::string_view text) {
    return base::clamp_utf8(base::printable(text), Notifier::max_status_bytes);
}

}  // namespace

Notifier Notifier::from_environment(const Environment& environment) {
    Notifier notifier;
    if (environment.notify_socket && is_usable_address(*environment.notify_socket))
        notifier.address_ = *environment.notify_socket;

    const auto interval = environment.watchdog_usec ? to_number(*environment.watchdog_usec) : std::nullopt;
    // Inherited by a child, the variables mean its parent.
    const bool is_ours =
        !environment.watchdog_pid || to_number(*environment.watchdog_pid) == static_cast<std::uint64_t>(::getpid());
    constexpr auto longest = static_cast<std::uint64_t>(std::chrono::microseconds::max().count());
    if (notifier.active() && is_ours && interval && *interval > 0 && *interval <= longest)
        notifier.interval_ = std::chrono::microseconds(static_cast<std::int64_t>(*interval));
    return notifier;
}

bool Notifier::ready(std::string_view status) const noexcept try {
    return send("READY=1\nSTATUS=" + one_line(status));
} catch (const std::exception&) {
    return send("READY=1");
}

bool Notifier::status(std::string_view status) const noexcept try {
    return send("STATUS=" + one_line(status));
} catch (const std::exception&) {
    return false;
}

bool Notifier::reloading(base::SteadyTime now) const noexcept try {
    // On Linux std::chrono::steady_clock is CLOCK_MONOTONIC, the clock that systemd wants here.
    const auto since_boot = std::chrono::duration_cast<std::chrono::microseconds>(now.time_since_epoch());
    return send("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(since_boot.count()));
} catch (const std::exception&) {
    return false;
}

bool Notifier::stopping(std::string_view status) const noexcept try {
    return send("STOPPING=1\nSTATUS=" + one_line(status));
} catch (const std::exception&) {
    return send("STOPPING=1");
}

bool Notifier::watchdog() const noexcept {
    return send("WATCHDOG=1");
}

bool Notifier::extend_timeout(std::chrono::microseconds by) const noexcept try {
    return send("EXTEND_TIMEOUT_USEC=" + std::to_string(by.count()));
} catch (const std::exception&) {
    return false;
}

bool Notifier::send(std::string_view message) const noexcept {
    if (!active()) return true;
    const Socket socket;
    if (socket.number < 0) return false;
    // A manager that hangs must not hang us with it.
    const timeval patience{.tv_sec = 1, .tv_usec = 0};
    if (::setsockopt(socket.number, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) != 0) return false;

    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, address_.data(), address_.size());
    // An abstract name begins with NUL and has no end but its length.
    if (address.sun_path[0] == '@') address.sun_path[0] = '\0';
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address_.size());

    ssize_t sent = 0;
    do {
        sent = ::sendto(socket.number, message.data(), message.size(), MSG_NOSIGNAL,
                        reinterpret_cast<const sockaddr*>(&address), length);
    } while (sent < 0 && errno == EINTR);
    return sent == static_cast<ssize_t>(message.size());
}

}  // namespace pgbakd::systemd
