#include "systemd/environment.hpp"

#include <cstdlib>

namespace pgbakd::systemd {
namespace {

std::optional<std::string> variable(const char* name) {
    // Nobody changes the environment of this process while it runs.
    const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe)
    if (value == nullptr || *value == '\0') return std::nullopt;
    return value;
}

}  // namespace

Environment Environment::of_process() {
    return {variable("NOTIFY_SOCKET"), variable("WATCHDOG_USEC"), variable("WATCHDOG_PID"), variable("JOURNAL_STREAM"),
            variable("CREDENTIALS_DIRECTORY")};
}

}  // namespace pgbakd::systemd
