#include "forwarder.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <vector>

namespace contract {

using pgbakd::os::Descriptor;

namespace {

sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    return address;
}

// All that is there to be read, as far as it is at most a buffer; false at the end.
bool move_bytes(const Descriptor& from, const Descriptor& to, std::uint64_t& moved) {
    std::array<char, 16384> buffer{};
    const auto count = ::recv(from.get(), buffer.data(), buffer.size(), 0);
    if (count <= 0) return false;
    moved = static_cast<std::uint64_t>(count);
    for (ssize_t done = 0; done < count;) {
        const auto sent = ::send(to.get(), buffer.data() + done, static_cast<std::size_t>(count - done), MSG_NOSIGNAL);
        if (sent <= 0) return false;
        done += sent;
    }
    return true;
}

}  // namespace

struct Forwarder::Connection {
    Descriptor client, server;
    bool stalled = false;
};

Forwarder::Forwarder(std::uint16_t port, Fault fault, std::uint64_t after_bytes)
    : to_(port),
      fault_(fault),
      left_(after_bytes),
      listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)),
      wake_(::eventfd(0, EFD_CLOEXEC)) {
    auto address = loopback(0);
    socklen_t size = sizeof address;
    ::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), size);
    ::listen(listener_.get(), 16);
    ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
}

Forwarder::~Forwarder() {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(wake_.get(), &one, sizeof one);
    thread_.join();
}

void Forwarder::serve() {
    std::vector<std::unique_ptr<Connection>> connections;
    for (;;) {
        std::vector<pollfd> wanted{{listener_.get(), POLLIN, 0}, {wake_.get(), POLLIN, 0}};
        for (const auto& connection : connections) {
            const short events = connection->stalled ? 0 : POLLIN;
            wanted.push_back({connection->client.get(), events, 0});
            wanted.push_back({connection->server.get(), events, 0});
        }
        if (::poll(wanted.data(), wanted.size(), -1) < 0 || (wanted[1].revents & POLLIN) != 0) return;
        for (std::size_t i = 0; i < connections.size(); ++i) {
            auto& connection = *connections[i];
            const auto client = wanted[2 + 2 * i].revents;
            const auto server = wanted[3 + 2 * i].revents;
            std::uint64_t moved = 0;
            bool alive = !connection.stalled || ((client | server) & (POLLHUP | POLLERR)) == 0;
            if (alive && !connection.stalled && client != 0) {
                alive = move_bytes(connection.client, connection.server, moved);
                if (fault_ != Fault::none && !happened_ && (left_ -= std::min(left_, moved)) == 0) {
                    happened_ = true;
                    connection.stalled = fault_ == Fault::stall;
                    alive = fault_ == Fault::stall;
                    const linger at_once{.l_onoff = 1, .l_linger = 0};
                    ::setsockopt(connection.client.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
                }
            }
            if (alive && !connection.stalled && server != 0)
                alive = move_bytes(connection.server, connection.client, moved);
            if (!alive) connections[i].reset();
        }
        std::erase(connections, nullptr);
        if ((wanted[0].revents & POLLIN) == 0) continue;
        auto connection = std::make_unique<Connection>();
        connection->client = Descriptor(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
        connection->server = Descriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        const auto address = loopback(to_);
        if (::connect(connection->server.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
            continue;
        const int one = 1;
        for (const auto* end : {&connection->client, &connection->server})
            ::setsockopt(end->get(), IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        ++connections_;
        connections.push_back(std::move(connection));
    }
}

}  // namespace contract
