// Tells the service manager how we are (sd_notify(3)): datagrams to $NOTIFY_SOCKET. Without one, all of it does
// nothing. A copyable value that holds no descriptor.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "systemd/environment.hpp"

namespace pgbakd::systemd {

class Notifier {
  public:
    // A status line is cut to so many bytes.
    static constexpr std::size_t max_status_bytes = 512;

    // Does nothing.
    Notifier() = default;
    [[nodiscard]] static Notifier from_environment(const Environment& environment = Environment::of_process());

    // Whether anybody listens.
    [[nodiscard]] bool active() const noexcept { return !address_.empty(); }

    // Each tells whether the message was handed over (true without a listener too). None throws, and none waits longer
    // than a second for a manager that does not read. A status is put on one line.
    bool ready(std::string_view status) const noexcept;
    bool status(std::string_view status) const noexcept;
    // RELOADING=1 with MONOTONIC_USEC; ready() ends it.
    bool reloading(base::SteadyTime now) const noexcept;
    bool stopping(std::string_view status) const noexcept;
    bool watchdog() const noexcept;
    // The manager waits for the present start, reload or stop at least this much longer, from now.
    bool extend_timeout(std::chrono::microseconds by) const noexcept;

    // Within this time watchdog() must be called again and again (call it at half of it); nothing: nobody watches us.
    [[nodiscard]] std::optional<std::chrono::microseconds> watchdog_interval() const noexcept { return interval_; }

  private:
    [[nodiscard]] bool send(std::string_view message) const noexcept;
    std::string address_;  // a path, or "@" and an abstract name
    std::optional<std::chrono::microseconds> interval_;
};

}  // namespace pgbakd::systemd
