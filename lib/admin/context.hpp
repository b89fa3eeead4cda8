// What a verb works with: where it writes, what it was told globally, what time it is. Handed in, so that a verb runs
// in a test as it runs in a terminal.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <optional>
#include <ostream>
#include <string>

#include "base/clock.hpp"
#include "calendar/zone_database.hpp"

namespace pgbakd::admin {

// The process around us.
struct Surroundings {
    std::ostream& out;
    std::ostream& err;
    bool out_is_terminal = false;
    bool err_is_terminal = false;
    std::size_t columns = 80;  // of the terminal
    std::function<std::optional<std::string>(const char*)> environment;
    const base::Clock& clock;
    calendar::ZoneDatabase& zones;
    std::string host_zone_name;
    // Where systemd keeps what it handed to the daemon's service, for root to see.
    std::filesystem::path service_credentials = "/run/credentials/pgbakd.service";
};

struct Context {
    Surroundings& around;
    std::ostream& out;  // what was asked for
    std::ostream& err;  // what went wrong, and progress
    bool json = false;
    bool colour = false;                          // on `out`
    bool progress = false;                        // a progress bar on `err`
    std::filesystem::path config_file;            // --config
    std::optional<std::filesystem::path> socket;  // --socket
    bool socket_is_a_guess = false;               // the configuration could not tell its path

    [[nodiscard]] base::Instant now() const { return base::to_instant(around.clock.now()); }
    // The host's own zone; UTC if its file is missing.
    [[nodiscard]] calendar::ZonePtr host_zone() const {
        const auto zone = around.zones.find(around.host_zone_name);
        return zone ? *zone : calendar::Zone::utc();
    }
};

}  // namespace pgbakd::admin
