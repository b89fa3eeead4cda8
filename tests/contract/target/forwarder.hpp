// A TCP connection's way to a server, on which something happens: after so many bytes to the server the first
// connection is reset, or nothing moves any more.
#pragma once

#include <atomic>
#include <cstdint>
#include <thread>

#include "os/descriptor.hpp"

namespace contract {

class Forwarder {
  public:
    enum class Fault { none, reset, stall };

    // To that port of this host. Faults happen once; later connections are served.
    Forwarder(std::uint16_t port, Fault fault, std::uint64_t after_bytes);
    Forwarder(const Forwarder&) = delete;
    Forwarder& operator=(const Forwarder&) = delete;
    ~Forwarder();

    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
    [[nodiscard]] bool has_happened() const noexcept { return happened_; }
    [[nodiscard]] int connections() const noexcept { return connections_; }

  private:
    struct Connection;
    void serve();

    std::uint16_t to_;
    Fault fault_;
    std::uint64_t left_;
    std::uint16_t port_ = 0;
    pgbakd::os::Descriptor listener_, wake_;
    std::atomic<bool> happened_{false};
    std::atomic<int> connections_{0};
    std::thread thread_;
};

}  // namespace contract
