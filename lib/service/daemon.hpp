// The daemon: what it owns, in the order it starts; it ends in the reverse.
#pragma once

#include <filesystem>
#include <memory>

#include "service/log.hpp"

namespace pgbakd::service {

struct DaemonOptions {
    std::filesystem::path configuration;
    bool log_to_stderr = false;
};

// Exit codes of the daemon; 3 and 75 are those after which a restart would change nothing.
enum class DaemonExit : int { good = 0, failed = 1, wrong_configuration = 3, locked = 75 };

// Runs until SIGTERM or SIGINT. Failures of the start are logged.
[[nodiscard]] DaemonExit run_daemon(const DaemonOptions& options);

// `pgbakd --check`: prints the problems on standard error, or that there are none on standard output.
[[nodiscard]] DaemonExit check_configuration(const std::filesystem::path& configuration);

}  // namespace pgbakd::service
