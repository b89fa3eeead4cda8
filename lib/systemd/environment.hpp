// What systemd tells a service through its environment (systemd.exec(5), sd_notify(3)). Read once, then a value.
#pragma once

#include <optional>
#include <string>

namespace pgbakd::systemd {

struct Environment {
    std::optional<std::string> notify_socket;          // $NOTIFY_SOCKET
    std::optional<std::string> watchdog_usec;          // $WATCHDOG_USEC
    std::optional<std::string> watchdog_pid;           // $WATCHDOG_PID
    std::optional<std::string> journal_stream;         // $JOURNAL_STREAM
    std::optional<std::string> credentials_directory;  // $CREDENTIALS_DIRECTORY

    // That of this process; variables that are empty count as unset. Nothing is unset: children are started with an
    // environment of their own (os::Command).
    [[nodiscard]] static Environment of_process();
};

}  // namespace pgbakd::systemd
