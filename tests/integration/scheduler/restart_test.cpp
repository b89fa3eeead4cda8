// A scheduler killed a thousand times: no slot is lost, none runs twice. What is real: the processes and their SIGKILL,
// the planner, the driver, the catalog on disk. What is not: the clock, which runs 20,000 times as fast, and the runs.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <iostream>
#include <random>

#include "catalog/catalog.hpp"
#include "life.hpp"
#include "support/common.hpp"
#include "support/temporary_directory.hpp"

namespace pgbakd::scheduler::test {
namespace {

constexpr int kills = 1000;
constexpr int longest_life_ms = 24;

PlannedJob job(std::string name, std::string_view schedule, model::CatchUp catch_up, model::Overlap overlap) {
    return {std::move(name), calendar::Schedule::parse(schedule).value(), calendar::Zone::utc(), catch_up, overlap, {}};
}

World make_world(const std::filesystem::path& directory) {
    using enum model::CatchUp::Policy;
    World world{directory / "state.db", directory / "diary", {}, {}, std::chrono::steady_clock::now(), 20'000};
    world.begin = calendar::parse_rfc3339("2026-12-01T00:00:30Z").value();
    world.jobs = {job("minutely", "* * * * *", {once, {}}, model::Overlap::skip),
                  job("within", "*/3 * * * *", {once, std::chrono::minutes(2)}, model::Overlap::queue),
                  job("skip", "*/7 * * * *", {skip, {}}, model::Overlap::skip),
                  job("all", "*/10 * * * *", {all, {}}, model::Overlap::queue),
                  job("fixed", "0 */2 * * *", {once, {}}, model::Overlap::skip)};
    return world;
}

// Lives `how_long`, from its beginning or from when its schedules are loaded, unless its accident comes first. Whether
// it was killed.
bool one_life(const World& world, Accident accident, std::uint64_t seed, bool from_loaded,
              std::chrono::microseconds how_long) {
    std::array<int, 2> loaded{};
    if (::pipe(loaded.data()) != 0) return false;
    const auto child = ::fork();
    if (child < 0) return false;
    if (child == 0) live(world, accident, seed, loaded[1]);
    ::close(loaded[1]);
    char byte = 0;
    if (from_loaded) static_cast<void>(::read(loaded[0], &byte, 1) == 1);  // the end of the pipe, if it died before
    ::close(loaded[0]);
    ::usleep(static_cast<useconds_t>(how_long.count()));
    ::kill(child, SIGKILL);
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

// What became of the slots of one job.
struct Slots {
    base::Instant first;  // when the job was first seen
    std::map<base::Instant, int> recorded, begun;
    std::set<base::Instant> skipped, missed;
    int interrupted = 0;
};

std::vector<model::RunReport> all_runs(catalog::Catalog& catalog) {
    std::vector<model::RunReport> runs;
    for (;;) {
        const auto page = catalog.runs({{}, {}, 10'000, static_cast<int>(runs.size())});
        runs.insert(runs.end(), page.begin(), page.end());
        if (page.size() < 10'000) return runs;
    }
}

// `count` fires up to `latest`; with catch_up: all the newest 24 are none of them, since these must run.
void add_missed(Slots& slots, const PlannedJob& planned, base::Instant latest, std::uint64_t count) {
    const bool all = planned.catch_up.policy == model::CatchUp::Policy::all;
    auto slot = std::optional(latest);
    for (std::uint64_t i = 0; slot && i < count; ++i) {
        if (!all || i >= Planner::most_caught_up) slots.missed.insert(*slot);
        slot = planned.schedule.latest(base::Instant::min(), *slot - std::chrono::seconds(1), *planned.zone);
    }
}

TEST_CASE("a thousand kills at random instants: no slot is lost, none runs twice") {
    // In memory where there is some: a kill loses nothing that was written, and waiting for a disk makes lives empty.
    if (::access("/dev/shm", W_OK) == 0) ::setenv("TMPDIR", "/dev/shm", 0);
    const support::TemporaryDirectory directory;
    const auto world = make_world(directory.path());
    const char* given = std::getenv("PGBAKD_TEST_SEED");
    const auto seed = given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device()();
    std::cout << "PGBAKD_TEST_SEED=" << seed << '\n';
    std::mt19937_64 random(seed);
    for (int life = 0; life < kills; ++life) {
        Accident accident;
        if (life % 5 == 1) accident = {Accident::Place::before_recording, static_cast<int>(random() % 6)};
        if (life % 5 == 2) accident = {Accident::Place::before_running, static_cast<int>(random() % 6)};
        const auto how_long = std::chrono::microseconds(random() % (longest_life_ms * 1000));
        if (!one_life(world, accident, random(), life % 3 != 0, how_long)) {
            std::ifstream diary(world.diary);
            FAIL("life " << life << " ended by itself:\n" << std::string(std::istreambuf_iterator<char>(diary), {}));
        }
    }

    std::map<std::string, Slots> slots;
    const auto diary = read_diary(world.diary);
    const auto spec = [&world](const std::string& name) -> const PlannedJob& {
        return *std::find_if(world.jobs.begin(), world.jobs.end(), [&](const auto& each) { return each.name == name; });
    };
    for (const auto& entry : diary) {
        INFO(entry.what << ' ' << entry.job);
        REQUIRE((entry.what != "broken" && entry.what != "repeated" && entry.what != "taken"));
        const base::Instant slot{std::chrono::seconds(entry.slot)};
        auto& job = slots[entry.job];
        if (entry.what == "anchor") job.first = slot;
        if (entry.what == "run") ++job.begun[slot];
        if (entry.what == "skip") job.skipped.insert(slot);
        if (entry.what == "missed") add_missed(job, spec(entry.job), slot, entry.count);
    }
    const auto catalog = catalog::Catalog::open(world.state_file, world.now());
    static_cast<void>(catalog->interrupt_running(world.now()));
    int never_begun = 0;
    for (const auto& run : all_runs(*catalog)) {
        auto& job = slots[run.job];
        ++job.recorded[*run.slot];
        const bool ended = run.outcome == model::Outcome::success;
        const bool interrupted = run.outcome == model::Outcome::interrupted;
        job.interrupted += interrupted ? 1 : 0;
        if (!ended && !interrupted) FAIL(run.job << " ended as " << model::outcome_text(run.outcome));
        if (!job.begun.contains(*run.slot)) {
            ++never_begun;
            if (!interrupted) FAIL("a run of " << run.job << " that never began is told as good");
        }
    }
    std::size_t looked_at = 0;
    for (const auto& state : catalog->job_states()) {
        const auto& planned = spec(state.job);
        const auto& job = slots.at(state.job);
        for (const auto& [slot, times] : job.recorded) REQUIRE(times == 1);
        for (const auto& [slot, times] : job.begun) {
            REQUIRE(times == 1);
            REQUIRE(job.recorded.contains(slot));
        }
        for (auto slot = planned.schedule.next(job.first, *planned.zone); slot && *slot <= state.anchor;
             slot = planned.schedule.next(*slot, *planned.zone)) {
            ++looked_at;
            if (!job.recorded.contains(*slot) && !job.skipped.contains(*slot) && !job.missed.contains(*slot))
                FAIL("lost: " << state.job << " " << calendar::format_rfc3339_utc(*slot));
        }
        std::cout << state.job << ": " << job.recorded.size() << " recorded, " << job.interrupted << " interrupted, "
                  << job.skipped.size() << " skipped, " << job.missed.size() << " missed\n";
    }
    std::cout << kills << " kills, " << looked_at << " slots, " << never_begun
              << " killed between the record and the run\n";
    CHECK(slots.size() == world.jobs.size());
    CHECK(looked_at > kills);
    CHECK(never_begun > kills / 100);
}

}  // namespace
}  // namespace pgbakd::scheduler::test
