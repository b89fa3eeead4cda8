// One life of a scheduler, as the daemon lives it, but faster: the real planner, driver and catalog, and a clock that
// runs many times as fast as the wall's. It ends when somebody kills its process.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "scheduler/planner.hpp"

namespace pgbakd::scheduler::test {

// Where an accident happens; `after` counts the starts before it.
struct Accident {
    enum class Place { none, before_recording, before_running };
    Place place = Place::none;
    int after = 0;
};

struct World {
    std::filesystem::path state_file, diary;
    std::vector<PlannedJob> jobs;
    base::Instant begin;  // what the fast clock says at `origin`
    base::SteadyTime origin;
    int speed = 1;

    [[nodiscard]] base::Timestamp now() const;
    [[nodiscard]] base::SteadyTime when(base::Instant instant) const;
};

// Until it is killed. Writes a byte to `loaded` once the schedules are loaded and what was missed is dealt with. Writes
// what it does into the diary, a line at a time: "anchor JOB SECONDS", "missed JOB SECONDS COUNT", "skip JOB SECONDS",
// "run JOB SECONDS" (when a run begins), "repeated JOB SECONDS", "broken WHAT".
[[noreturn]] void live(const World& world, Accident accident, std::uint64_t seed, int loaded);

struct Entry {
    std::string what, job;
    std::int64_t slot = 0;
    std::uint64_t count = 0;
};
[[nodiscard]] std::vector<Entry> read_diary(const std::filesystem::path& diary);

}  // namespace pgbakd::scheduler::test
