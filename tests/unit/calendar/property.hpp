// What tests of properties share: a seed, zones to go through, and the fires found.
// PGBAKD_PROPERTY_SCALE=100 tries a hundred times as much; PGBAKD_PROPERTY_SEED repeats a run.
#pragma once

#include <fstream>
#include <iostream>
#include <iterator>
#include <set>
#include <stdexcept>
#include <vector>

#include "random_schedule.hpp"
#include "support.hpp"

namespace pgbakd::calendar::testing {

inline std::uint64_t seed() {
    static const std::uint64_t value = [] {
        const char* text = std::getenv("PGBAKD_PROPERTY_SEED");
        const auto chosen = text == nullptr ? std::uint64_t{20260114} : std::strtoull(text, nullptr, 10);
        std::cout << "PGBAKD_PROPERTY_SEED=" << chosen << '\n';
        return chosen;
    }();
    return value;
}

// All zones of the host, those of one content once; the pinned ones where the host has none.
inline const std::vector<ZonePtr>& zones() {
    static const std::vector<ZonePtr> found = [] {
        std::vector<ZonePtr> list;
        for (const auto& directory : {ZoneDatabase::host_directory(), data_directory() / "zoneinfo"}) {
            ZoneDatabase database(directory);
            std::set<std::string> contents;
            for (const auto& name : database.names()) {
                std::ifstream file(directory / name, std::ios::binary);
                if (contents.insert({std::istreambuf_iterator<char>(file), {}}).second)
                    list.push_back(database.find(name).value());
            }
            if (!list.empty()) break;
        }
        std::cout << list.size() << " zones\n";
        return list;
    }();
    return found;
}

inline Reading reading(std::chrono::local_seconds time) {
    const auto midnight = std::chrono::floor<std::chrono::days>(time);
    const std::chrono::year_month_day date{midnight};
    const std::chrono::year_month_day_last last{date.year(), std::chrono::month_day_last{date.month()}};
    return {static_cast<int>(date.year()), static_cast<int>(static_cast<unsigned>(date.month())),
            static_cast<int>(static_cast<unsigned>(date.day())),
            static_cast<int>(std::chrono::weekday{midnight}.c_encoding()),
            static_cast<int>(static_cast<unsigned>(last.day()))};
}

inline std::vector<base::Instant> forward(const Schedule& schedule, base::Instant from, base::Instant until,
                                          const Zone& zone) {
    std::vector<base::Instant> fires;
    for (auto fire = schedule.next(from - std::chrono::seconds{1}, zone); fire && *fire < until;
         fire = schedule.next(*fire, zone)) {
        if (!fires.empty() && *fire <= fires.back()) throw std::logic_error("next does not go forward");
        fires.push_back(*fire);
    }
    return fires;
}

}  // namespace pgbakd::calendar::testing
