// pgbakctl: the administrator's tool. What it does is in lib/admin.
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "admin/main.hpp"
#include "postgres/session.hpp"

namespace {

std::optional<std::string> environment(const char* name) {
    const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): no thread is running yet
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

std::size_t terminal_columns() {
    winsize size{};
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

}  // namespace

int main(int argc, char** argv) {
    pgbakd::postgres::ignore_environment();
    std::ios::sync_with_stdio(false);
    const pgbakd::base::SystemClock clock;
    pgbakd::calendar::ZoneDatabase zones;
    pgbakd::admin::Surroundings around{std::cout,
                                       std::cerr,
                                       isatty(STDOUT_FILENO) == 1,
                                       isatty(STDERR_FILENO) == 1,
                                       terminal_columns(),
                                       environment,
                                       clock,
                                       zones,
                                       pgbakd::calendar::ZoneDatabase::host_zone_name()};
    return pgbakd::admin::main(std::vector<std::string>(argv + std::min(argc, 1), argv + argc), around);
}
