// Measures lib/calendar and the planner, and prints a line "NAME VALUE" per figure, in nanoseconds, bytes or counts.
//   bench_schedules next      the next fire of typical expressions
//   bench_schedules planner   a hundred thousand jobs
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "async/task_group.hpp"
#include "calendar/zone_database.hpp"
#include "scheduler/driver.hpp"

namespace {

using namespace pgbakd;
using std::chrono::seconds;

void say(const std::string& name, double value) {
    std::printf("%s %.3f\n", name.c_str(), value);
}

double nanoseconds_since(std::chrono::steady_clock::time_point begin) {
    return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - begin).count();
}

// Keeps the optimizer from leaving out what nobody reads.
volatile std::int64_t sink = 0;

// Median of many short batches, in nanoseconds per call.
template <class Call>
double median_of(Call call) {
    constexpr int batches = 201, calls = 200;
    std::array<double, batches> times{};
    for (auto& time : times) {
        const auto begin = std::chrono::steady_clock::now();
        for (int i = 0; i < calls; ++i) sink = call(i);
        time = nanoseconds_since(begin) / calls;
    }
    std::nth_element(times.begin(), times.begin() + batches / 2, times.end());
    return times[batches / 2];
}

// What a machine does in the time of a next(): dates taken apart and put together again, as everybody's next() must.
double baseline() {
    return median_of([](int i) {
        const std::chrono::sys_days day{std::chrono::days{20'000 + i}};
        const std::chrono::year_month_day date{day};
        const auto next = std::chrono::sys_days{(date.year() / date.month() + std::chrono::months{1}) / 1};
        return next.time_since_epoch().count();
    });
}

constexpr std::array<std::string_view, 12> typical = {
    "daily at 02:00",
    "weekdays at 00:00, 12:00",
    "twice-daily at 01:00, 13:00",
    "weekly on sunday at 02:00",
    "monthly on last-day at 03:00",
    "yearly on 12-31 at 23:00",
    "every 6 hours",
    "every 15 minutes",
    "* * * * *",
    "*/20 2 * * 1-5",
    "0 3 1,15 * 5L",
    "calendar Mon..Fri *-*~03 02:30:30",
};

base::Instant at(std::string_view text) {
    return calendar::parse_rfc3339(text).value();
}

int next_fires() {
    say("baseline", baseline());
    calendar::ZoneDatabase zones;
    for (const auto* name : {"UTC", "Europe/Berlin"}) {
        const auto zone = zones.find(name).value();
        std::vector<double> medians;
        double worst = 0;
        for (const auto text : typical) {
            const auto schedule = calendar::Schedule::parse(text).value();
            // From instants spread over two years.
            const auto start = at("2026-01-01T00:00:07Z");
            const double median = median_of([&](int i) {
                return schedule.next(start + seconds{std::int64_t{i} * 315'367}, *zone)->time_since_epoch().count();
            });
            medians.push_back(median);
            say(std::string(name) + "/" + std::string(text), median);
            // Beside both of a year's clock changes, and far from the next fire: whatever is slowest.
            for (const auto* beside : {"2026-03-29T01:00:00Z", "2026-10-25T01:00:00Z", "2027-12-31T23:00:00Z"})
                for (const int distance : {-3600, -1, 0, 1, 3599}) {
                    const auto from = at(beside) + seconds{distance};
                    const double time =
                        median_of([&](int) { return schedule.next(from, *zone)->time_since_epoch().count(); });
                    worst = std::max(worst, time);
                }
        }
        std::sort(medians.begin(), medians.end());
        say(std::string(name) + " median", (medians[5] + medians[6]) / 2);
        say(std::string(name) + " worst", std::max(worst, medians.back()));
        const auto minutely = calendar::Schedule::parse("* * * * *").value();
        const auto transition = at("2026-10-25T00:59:59Z");
        say(std::string(name) + " minutely beside a change",
            median_of([&](int) { return minutely.next(transition, *zone)->time_since_epoch().count(); }));
    }
    return 0;
}

constexpr std::size_t many = 100'000;

std::vector<scheduler::PlannedJob> many_jobs(std::string_view text) {
    const auto zone = calendar::ZoneDatabase().find("Europe/Berlin").value();
    std::vector<scheduler::PlannedJob> jobs;
    jobs.reserve(many);
    // Each with a schedule of its own, as a configuration has them: nothing is shared but the zone.
    for (std::size_t i = 0; i < many; ++i)
        jobs.push_back({"a-job-with-a-rather-long-name-" + std::to_string(i),
                        calendar::Schedule::parse(text).value(),
                        zone,
                        {},
                        model::Overlap::skip,
                        {}});
    return jobs;
}

// The least that a plan of so many can cost: names into a map, and instants into a set.
double plan_baseline() {
    const auto jobs = many_jobs("daily at 02:00");
    const auto begin = std::chrono::steady_clock::now();
    std::map<std::string, std::unique_ptr<scheduler::PlannedJob>, std::less<>> names;
    std::set<std::pair<base::Instant, std::size_t>> instants;
    for (std::size_t i = 0; i < jobs.size(); ++i) {
        names.emplace(jobs[i].name, std::make_unique<scheduler::PlannedJob>(jobs[i]));
        instants.emplace(base::Instant{}, i);
    }
    return nanoseconds_since(begin);
}

std::size_t resident_bytes() {
    ::malloc_trim(0);
    std::ifstream statm("/proc/self/statm");
    std::size_t pages = 0, resident = 0;
    statm >> pages >> resident;
    return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

// How often the real timer wakes the driver in three seconds in which nothing is due.
std::uint64_t idle_wakes(scheduler::Planner& planner) {
    asio::io_context io;
    const base::SystemClock clock;
    async::StopSource stop;
    async::TaskGroup tasks(io.get_executor());
    scheduler::Driver driver(scheduler::make_clock_timer(io.get_executor()), clock, planner,
                             [](const std::vector<scheduler::Action>&) {});
    tasks.spawn(driver.run(stop.token()));
    io.run_for(seconds{3});
    const auto wakes = driver.ticks() - 1;  // the first is the look at the start
    stop.stop({base::ErrorCode::cancelled, "measured"});
    io.restart();
    io.run();
    return wakes;
}

int planner() {
    const base::SystemClock clock;
    const auto now = base::to_instant(clock.now());
    const auto before = resident_bytes();
    auto jobs = many_jobs("daily at 02:00");
    const auto zone = jobs.front().zone;
    const auto due = *jobs.front().schedule.next(now + std::chrono::hours{1}, *zone);
    scheduler::Planner planner(now - std::chrono::hours{48});
    auto begin = std::chrono::steady_clock::now();
    auto anchors = planner.load(std::move(jobs), {}, now);
    say("load", nanoseconds_since(begin));
    if (anchors.size() != many) return 1;
    anchors = {};
    // Names, parsed schedules and all.
    say("bytes per job", static_cast<double>(resident_bytes() - before) / many);
    say("idle wakes", static_cast<double>(idle_wakes(planner)));

    begin = std::chrono::steady_clock::now();
    const auto actions = planner.on_time(due);
    say("fires", nanoseconds_since(begin));
    // In the order of the configuration, each once, and nothing else.
    std::size_t next = 0;
    for (const auto& action : actions) {
        const auto* start = std::get_if<scheduler::Start>(&action);
        if (start == nullptr || start->slot != due) continue;
        if (start->job != "a-job-with-a-rather-long-name-" + std::to_string(next++)) return 1;
    }
    if (next != many || !planner.on_time(due).empty()) return 1;
    say("baseline", plan_baseline());
    return 0;
}

}  // namespace

int main(int argc, char* argv[]) {
    const std::string_view what = argc == 2 ? argv[1] : "";
    if (what == "next") return next_fires();
    if (what == "planner") return planner();
    std::fprintf(stderr, "usage: bench_schedules next|planner\n");
    return 2;
}
