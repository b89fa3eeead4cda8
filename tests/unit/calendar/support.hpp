// What the tests of lib/calendar share: pinned zones, instants and schedules from text.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>

#include "calendar/schedule.hpp"
#include "calendar/zone_database.hpp"

namespace pgbakd::calendar::testing {

inline std::filesystem::path data_directory() {
#ifdef PGBAKD_TEST_DATA
    return PGBAKD_TEST_DATA;
#else
    const char* directory = std::getenv("PGBAKD_TEST_DATA");
    if (directory == nullptr) throw std::runtime_error("set PGBAKD_TEST_DATA to tests/data");
    return directory;
#endif
}

// The zones pinned beside the tests, else the host's: what a test says does not depend on the host's tzdata.
inline ZonePtr zone(std::string_view name) {
    static ZoneDatabase pinned(data_directory() / "zoneinfo");
    static ZoneDatabase host;
    if (auto found = pinned.find(name)) return *found;
    return host.find(name).value();
}

inline base::Instant at(std::string_view rfc3339) {
    return parse_rfc3339(rfc3339).value();
}

inline Schedule schedule(std::string_view text) {
    return Schedule::parse(text).value();
}

// How much of the costly tests to run: PGBAKD_PROPERTY_SCALE, 1 by default.
inline int property_scale() {
    const char* text = std::getenv("PGBAKD_PROPERTY_SCALE");
    const int scale = text == nullptr ? 1 : std::atoi(text);
    return scale < 1 ? 1 : scale;
}

}  // namespace pgbakd::calendar::testing
