#include "admin/socket_stream.hpp"

#include <fmt/format.h>
#include <poll.h>

#include <boost/asio/error.hpp>
#include <cerrno>
#include <thread>

#include "admin/failure.hpp"

namespace pgbakd::admin {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t longest_path = 107;  // sockaddr_un(7)

// Whether the socket is ready for it within the time. Errors of the socket itself count as ready: the call that follows
// names them.
bool poll_for(int descriptor, short events, std::chrono::milliseconds patience) {
    const auto until = Clock::now() + patience;
    for (;;) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now());
        pollfd entry{descriptor, events, 0};
        const auto ready = ::poll(&entry, 1, static_cast<int>(std::max<std::int64_t>(0, left.count())));
        if (ready > 0) return true;
        if (ready == 0 || errno != EINTR) return false;
    }
}

std::string hint_for(const boost::system::error_code& failure) {
    if (failure == boost::system::errc::permission_denied)
        return "be root, or in the group pgbakd: usermod -aG pgbakd USER";
    return "start it: systemctl start pgbakd; journalctl -u pgbakd tells why it is not running";
}

}  // namespace

Failure not_reachable(const std::filesystem::path& path, const std::string& why, const std::string& hint) {
    return {
        ExitCode::unreachable,
        {base::ErrorCode::unreachable, fmt::format("the daemon is not reachable at {}: {}", path.string(), why), hint}};
}

SocketStream::SocketStream(const std::filesystem::path& path, std::chrono::milliseconds connect_timeout)
    : socket_(context_) {
    if (path.string().size() > longest_path)
        throw not_reachable(path, "the path is too long for a socket", "api.socket may have 107 bytes");
    const asio::local::stream_protocol::endpoint endpoint(path.string());
    socket_.open(endpoint.protocol());
    // A full backlog is told at once instead of waited for, so the waiting is ours (unix(7): EAGAIN).
    socket_.native_non_blocking(true);
    socket_.non_blocking(true);
    const auto until = Clock::now() + connect_timeout;
    for (;;) {
        boost::system::error_code failure;
        socket_.connect(endpoint, failure);
        if (!failure) return;
        if (failure != asio::error::would_block && failure != asio::error::try_again)
            throw not_reachable(path, failure.message(), hint_for(failure));
        if (Clock::now() >= until)
            throw not_reachable(path, "it accepts no connection", "it may hang: systemctl restart pgbakd");
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
}

void SocketStream::set_patience(std::chrono::milliseconds patience, std::function<void()> on_silence) {
    patience_ = patience;
    on_silence_ = std::move(on_silence);
}

bool SocketStream::wait_readable(boost::system::error_code& failure) {
    while (!poll_for(socket_.native_handle(), POLLIN, patience_)) {
        if (!on_silence_) {
            failure = asio::error::timed_out;
            return false;
        }
        on_silence_();
    }
    return true;
}

bool SocketStream::wait_writable(boost::system::error_code& failure) {
    if (poll_for(socket_.native_handle(), POLLOUT, patience_)) return true;
    failure = asio::error::timed_out;
    return false;
}

}  // namespace pgbakd::admin
