#include "service/control_server.hpp"

#include <fmt/format.h>
#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>
#include <vector>

#include "async/timer.hpp"
#include "os/file.hpp"

namespace pgbakd::service {
namespace {

using Acceptor = asio::local::stream_protocol::acceptor;

// Whether somebody answers at the socket: then it is not ours to replace.
bool is_served(const asio::any_io_executor& executor, const asio::local::stream_protocol::endpoint& endpoint) {
    asio::local::stream_protocol::socket probe(executor);
    boost::system::error_code failure;
    probe.connect(endpoint, failure);
    return !failure;
}

void open_to_group(const std::filesystem::path& path) {
    std::vector<char> buffer(16384);
    group entry{};
    group* found = nullptr;
    if (getgrnam_r("pgbakd", &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr) return;
    // Without the right to give it away the socket stays the owner's alone, which is safe.
    if (chown(path.c_str(), static_cast<uid_t>(-1), found->gr_gid) == 0) chmod(path.c_str(), 0660);
}

void make_directory_of(const std::filesystem::path& path) {
    try {
        os::make_directories(path.parent_path());
    } catch (const base::Error& error) {
        throw base::Error(error.code(), "the control socket: " + error.message(),
                          fmt::format("systemd makes /run/pgbakd for the service; elsewhere make {} for the user that "
                                      "pgbakd runs as, or choose another api.socket",
                                      path.parent_path().string()));
    }
}

Acceptor bind_socket(const asio::any_io_executor& executor, const std::filesystem::path& path) {
    constexpr std::size_t longest = 107;  // sockaddr_un(7)
    if (path.string().size() > longest)
        throw base::Error(base::ErrorCode::invalid_configuration,
                          fmt::format("the control socket's path is too long: {} bytes", path.string().size()),
                          fmt::format("api.socket may have {} bytes", longest));
    const asio::local::stream_protocol::endpoint endpoint(path.string());
    if (const auto status = os::file_status(path)) {
        if (is_served(executor, endpoint))
            throw base::Error(base::ErrorCode::conflict,
                              fmt::format("another program serves the control socket {}", path.string()),
                              "stop the other daemon, or give this one another api.socket");
        if (!S_ISSOCK(status->mode))
            throw base::Error(base::ErrorCode::conflict, fmt::format("{} is no socket", path.string()),
                              "remove it, or choose another api.socket");
        unlink(path.c_str());
    }
    make_directory_of(path);
    Acceptor acceptor(executor);
    acceptor.open(endpoint.protocol());
    // Born closed to everybody else; the reactor thread is the only one that makes files with a meaning of their mode.
    const auto mask = umask(0177);
    boost::system::error_code failure;
    acceptor.bind(endpoint, failure);
    umask(mask);
    if (failure) throw base::error_from_errno(failure.value(), "binding the control socket " + path.string());
    open_to_group(path);
    acceptor.listen(asio::socket_base::max_listen_connections);
    return acceptor;
}

}  // namespace

ControlServer::ControlServer(asio::any_io_executor executor, std::filesystem::path socket, Handler handler)
    : executor_(executor),
      path_(std::move(socket)),
      acceptor_(bind_socket(executor, path_)),
      conversations_(std::move(executor), std::move(handler), {}) {}

ControlServer::~ControlServer() = default;

asio::awaitable<void> ControlServer::serve(async::StopToken stop) {
    std::exception_ptr failure;
    try {
        co_await accept_all(stop);
    } catch (...) {
        failure = std::current_exception();
    }
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    unlink(path_.c_str());
    co_await conversations_.join();
    if (failure) std::rethrow_exception(failure);
}

asio::awaitable<void> ControlServer::accept_all(async::StopToken stop) {
    // NOLINTNEXTLINE(clang-analyzer-deadcode.DeadStores): it lives until the end of the scope
    const auto registration = stop.on_stop([this] {
        boost::system::error_code ignored;
        acceptor_.cancel(ignored);
    });
    for (;;) {
        stop.check();
        asio::local::stream_protocol::socket socket(executor_);
        boost::system::error_code failure;
        co_await acceptor_.async_accept(socket, asio::redirect_error(asio::use_awaitable, failure));
        stop.check();
        if (failure) {  // out of descriptors, most likely: others end, then there are some again
            co_await async::sleep_for(std::chrono::milliseconds(200), stop);
            continue;
        }
        conversations_.take(StreamSocket(std::move(socket)), {}, stop);
    }
}

}  // namespace pgbakd::service
