// Fires that passed while nobody looked.
#include "support.hpp"

namespace pgbakd::scheduler::test {
namespace {

struct Row {
    const char* what;
    const char* schedule;
    const char* catch_up;
    const char* anchor;
    const char* now;
    Texts expected;
};

const std::vector<Row> rows{
    {"nothing missed", "daily at 02:00", "once", "2026-03-10 02:00", "2026-03-10 12:00", {}},
    {"one missed",
     "daily at 02:00",
     "once",
     "2026-03-09 02:00",
     "2026-03-10 12:00",
     {"missed j 1 until 2026-03-10 02:00", "start j 2026-03-10 02:00 catch-up"}},
    {"the latest of many",
     "daily at 02:00",
     "once",
     "2026-02-10 02:00",
     "2026-03-10 12:00",
     {"missed j 28 until 2026-03-10 02:00", "start j 2026-03-10 02:00 catch-up"}},
    {"a minute late is on time",
     "daily at 02:00",
     "once",
     "2026-03-09 02:00",
     "2026-03-10 02:00:59",
     {"start j 2026-03-10 02:00"}},
    {"on time whatever the policy",
     "daily at 02:00",
     "skip",
     "2026-03-09 02:00",
     "2026-03-10 02:00:59",
     {"start j 2026-03-10 02:00"}},
    {"more than a minute late is missed",
     "daily at 02:00",
     "once",
     "2026-03-09 02:00",
     "2026-03-10 02:01",
     {"missed j 1 until 2026-03-10 02:00", "start j 2026-03-10 02:00 catch-up"}},
    {"skip",
     "daily at 02:00",
     "skip",
     "2026-03-07 02:00",
     "2026-03-10 12:00",
     {"missed j 3 until 2026-03-10 02:00",
      "skip j 2026-03-10 02:00: it was missed, and the job catches up on nothing"}},
    {"within the window",
     "daily at 02:00",
     "once within 12h",
     "2026-03-07 02:00",
     "2026-03-10 14:00",
     {"missed j 3 until 2026-03-10 02:00", "start j 2026-03-10 02:00 catch-up"}},
    {"after the window",
     "daily at 02:00",
     "once within 12h",
     "2026-03-07 02:00",
     "2026-03-10 14:00:01",
     {"missed j 3 until 2026-03-10 02:00", "skip j 2026-03-10 02:00: it was missed too long ago to catch up on"}},
    {"the fire that is due now does for those missed",
     "daily at 02:00",
     "once",
     "2026-03-07 02:00",
     "2026-03-10 02:00:30",
     {"missed j 2 until 2026-03-09 02:00", "start j 2026-03-10 02:00"}},
    {"the same with a window",
     "daily at 02:00",
     "once within 1h",
     "2026-03-07 02:00",
     "2026-03-10 02:00:30",
     {"missed j 2 until 2026-03-09 02:00", "start j 2026-03-10 02:00"}},
    {"skip, and one is due now",
     "daily at 02:00",
     "skip",
     "2026-03-07 02:00",
     "2026-03-10 02:00:30",
     {"missed j 2 until 2026-03-09 02:00", "skip j 2026-03-09 02:00: it was missed, and the job catches up on nothing",
      "start j 2026-03-10 02:00"}},
    {"all: the oldest first, the rest waits",
     "daily at 02:00",
     "all",
     "2026-03-07 02:00",
     "2026-03-10 12:00",
     {"missed j 3 until 2026-03-10 02:00", "start j 2026-03-08 02:00 catch-up"}},
    {"counting stops somewhere",
     "every 15 minutes",
     "once",
     "2026-02-01 00:00",
     "2026-03-10 12:05",
     {"missed j 1000 or more until 2026-03-10 12:00", "start j 2026-03-10 12:00 catch-up"}},
    {"exactly as many as are counted",
     "hourly",
     "once",
     "2026-03-01 00:00",
     "2026-04-11 16:30",
     {"missed j 1000 until 2026-04-11 16:00", "start j 2026-04-11 16:00 catch-up"}},
};

TEST_CASE("missed fires at a start, by policy") {
    for (const auto& row : rows) {
        INFO(row.what);
        Table table;
        const auto spec = job("j", row.schedule, {.catch_up = row.catch_up});
        CHECK(table.load({spec}, row.now, {stored(spec, row.anchor)}) == row.expected);
        // Whatever was decided, it is decided once.
        CHECK(table.tick(row.now).empty());
    }
}

TEST_CASE("the same after a suspend or a stall, and after a step forward") {
    for (const auto& row : rows) {
        INFO(row.what);
        Table ticked, stepped;
        const auto spec = job("j", row.schedule, {.catch_up = row.catch_up});
        CHECK(ticked.load({spec}, row.anchor, {stored(spec, row.anchor)}).empty());
        CHECK(ticked.tick(row.now) == row.expected);
        CHECK(stepped.load({spec}, row.anchor, {stored(spec, row.anchor)}).empty());
        CHECK(texts(stepped.planner.on_clock_step(at(row.now))) == row.expected);
    }
}

TEST_CASE("what a skip settles stays settled after a restart") {
    const auto spec = job("j", "daily at 02:00", {.catch_up = "skip"});
    Table table;
    const auto actions = table.planner.load({spec}, {stored(spec, "2026-03-07 02:00")}, at("2026-03-10 12:00"));
    Table restarted;
    CHECK(restarted.load({spec}, "2026-03-10 12:01", {std::get<Skip>(actions.at(1)).state}).empty());
}

TEST_CASE("catch_up: all runs one after another, and fires that come meanwhile wait behind") {
    Table table;
    const auto spec = job("j", "daily at 02:00", {.catch_up = "all"});
    CHECK(table.load({spec}, "2026-03-10 01:00", {stored(spec, "2026-03-06 02:00")}) ==
          Texts{"missed j 3 until 2026-03-09 02:00", "start j 2026-03-07 02:00 catch-up"});
    CHECK(table.finished("j", "2026-03-10 01:30") == Texts{"start j 2026-03-08 02:00 catch-up"});
    CHECK(table.tick("2026-03-10 02:00").empty());
    CHECK(table.finished("j", "2026-03-10 02:10") == Texts{"start j 2026-03-09 02:00 catch-up"});
    CHECK(table.finished("j", "2026-03-10 02:20") == Texts{"start j 2026-03-10 02:00"});
    CHECK(table.finished("j", "2026-03-10 02:30").empty());
}

TEST_CASE("catch_up: all: a fire on time waits behind a catch-up that runs, be it the only one") {
    Table table;
    const auto spec = job("j", "hourly", {.catch_up = "all"});
    CHECK(table.load({spec}, "2026-03-10 00:59:30", {stored(spec, "2026-03-09 23:00")}) ==
          Texts{"missed j 1 until 2026-03-10 00:00", "start j 2026-03-10 00:00 catch-up"});
    CHECK(table.tick("2026-03-10 01:00").empty());
    CHECK(table.finished("j", "2026-03-10 01:10") == Texts{"start j 2026-03-10 01:00"});
    // That one is no catch-up: what comes while it runs goes by the job's overlap again.
    CHECK(table.tick("2026-03-10 02:00") == Texts{"skip j 2026-03-10 02:00: its last run is still going on"});
    CHECK(table.finished("j", "2026-03-10 02:10").empty());
    CHECK(table.tick("2026-03-10 03:00") == Texts{"start j 2026-03-10 03:00"});
    // Nor is a run by hand that follows a catch-up.
    CHECK(table.tick("2026-03-10 04:30").size() == 1);
    CHECK(table.finished("j", "2026-03-10 04:40") == Texts{"start j 2026-03-10 04:00 catch-up"});
    CHECK(table.finished("j", "2026-03-10 04:50").empty());
    table.planner.on_started("j");
    CHECK(table.tick("2026-03-10 05:00") == Texts{"skip j 2026-03-10 05:00: its last run is still going on"});
}

TEST_CASE("catch_up: all where nothing was missed: overlap decides") {
    for (const auto overlap : {model::Overlap::skip, model::Overlap::queue}) {
        Table table;
        table.load({job("j", "hourly", {.catch_up = "all", .overlap = overlap})}, "2026-03-10 00:30");
        CHECK(table.tick("2026-03-10 01:00") == Texts{"start j 2026-03-10 01:00"});
        Texts told;
        for (const auto* now : {"2026-03-10 02:00", "2026-03-10 03:00", "2026-03-10 04:00"})
            for (const auto& text : table.tick(now)) told.push_back(text);
        if (overlap == model::Overlap::skip) {
            CHECK(told == Texts{"skip j 2026-03-10 02:00: its last run is still going on",
                                "skip j 2026-03-10 03:00: its last run is still going on",
                                "skip j 2026-03-10 04:00: its last run is still going on"});
        } else {
            CHECK(told == Texts{"skip j 2026-03-10 02:00: a later fire took its place",
                                "skip j 2026-03-10 03:00: a later fire took its place"});
            CHECK(table.finished("j", "2026-03-10 04:10") == Texts{"start j 2026-03-10 04:00"});
        }
        CHECK(table.finished("j", "2026-03-10 04:20").empty());
    }
}

TEST_CASE("catch_up: all: what waits for a run does not give way to missed fires, nor they to later ones") {
    Table table;
    table.load({job("j", "hourly", {.catch_up = "all", .overlap = model::Overlap::queue})}, "2026-03-10 00:30");
    CHECK(table.tick("2026-03-10 01:00") == Texts{"start j 2026-03-10 01:00"});
    CHECK(table.tick("2026-03-10 02:00").empty());
    CHECK(table.tick("2026-03-10 04:30") == Texts{"missed j 2 until 2026-03-10 04:00"});
    CHECK(table.tick("2026-03-10 05:00").empty());
    Texts started;
    for (int i = 0; i < 5; ++i)
        for (const auto& text : table.finished("j", "2026-03-10 05:10")) started.push_back(text);
    CHECK(started == Texts{"start j 2026-03-10 02:00", "start j 2026-03-10 03:00 catch-up",
                           "start j 2026-03-10 04:00 catch-up", "start j 2026-03-10 05:00"});
}

TEST_CASE("catch_up: all loses no fire that is on time behind those that were missed") {
    struct Behind {
        const char* what;
        const char* anchor;
        Texts first, then;
    };
    for (const auto& row : {
             Behind{"behind one",
                    "2026-03-08 02:00",
                    {"missed j 1 until 2026-03-09 02:00", "start j 2026-03-09 02:00 catch-up"},
                    {"start j 2026-03-10 02:00"}},
             Behind{"behind two",
                    "2026-03-07 02:00",
                    {"missed j 2 until 2026-03-09 02:00", "start j 2026-03-08 02:00 catch-up"},
                    {"start j 2026-03-09 02:00 catch-up", "start j 2026-03-10 02:00"}},
         }) {
        INFO(row.what);
        const auto spec = job("j", "daily at 02:00", {.catch_up = "all"});
        Table table;
        const auto actions = table.planner.load({spec}, {stored(spec, row.anchor)}, at("2026-03-10 02:00:30"));
        CHECK(texts(actions) == row.first);
        // A restart right then finds what waits.
        Table restarted;
        const auto again =
            restarted.planner.load({spec}, {std::get<Start>(actions.at(1)).state}, at("2026-03-10 02:00:40"));
        CHECK_FALSE(again.empty());
        for (const auto& start : row.then) CHECK(table.finished("j", "2026-03-10 02:30") == Texts{start});
        CHECK(table.finished("j", "2026-03-10 02:40").empty());
        CHECK(table.next("j") == "2026-03-11 02:00");
    }
}

TEST_CASE("catch_up: all runs the latest 24 at most") {
    Table table;
    const auto spec = job("j", "hourly", {.catch_up = "all"});
    auto actions = table.load({spec}, "2026-03-10 12:30", {stored(spec, "2026-03-01 00:00")});
    CHECK(actions == Texts{"missed j 228 until 2026-03-10 12:00", "start j 2026-03-09 13:00 catch-up"});
    int runs = 1;
    while (!table.finished("j", "2026-03-10 12:31").empty()) ++runs;
    CHECK(runs == 24);
}

TEST_CASE("a restart in the middle of catching up goes on where it was") {
    const auto spec = job("j", "daily at 02:00", {.catch_up = "all"});
    Table table;
    const auto first = table.planner.load({spec}, {stored(spec, "2026-03-06 02:00")}, at("2026-03-10 12:00"));
    Table restarted;
    CHECK(restarted.load({spec}, "2026-03-10 12:01", {std::get<Start>(first.at(1)).state}) ==
          Texts{"missed j 3 until 2026-03-10 02:00", "start j 2026-03-08 02:00 catch-up"});
}

TEST_CASE("a missed fire of a job that still runs obeys overlap") {
    for (const auto overlap : {model::Overlap::skip, model::Overlap::queue}) {
        Table table;
        table.load({job("j", "hourly", {.overlap = overlap})}, "2026-03-10 00:30");
        CHECK(table.tick("2026-03-10 01:00") == Texts{"start j 2026-03-10 01:00"});
        const auto late = table.tick("2026-03-10 03:30");
        const auto ended = table.finished("j", "2026-03-10 03:40");
        if (overlap == model::Overlap::skip) {
            CHECK(late == Texts{"missed j 2 until 2026-03-10 03:00",
                                "skip j 2026-03-10 03:00: its last run is still going on"});
            CHECK(ended.empty());
        } else {
            CHECK(late == Texts{"missed j 2 until 2026-03-10 03:00"});
            CHECK(ended == Texts{"start j 2026-03-10 03:00 catch-up"});
        }
    }
}

TEST_CASE("lateness is counted from the start that jitter gives, not from the slot") {
    Table table;
    const auto spec = job("j", "daily at 02:00", {.catch_up = "once within 1h", .offset = std::chrono::minutes(10)});
    CHECK(table.load({spec}, "2026-03-10 02:10:30", {stored(spec, "2026-03-09 02:00")}) ==
          Texts{"start j 2026-03-10 02:00"});
    Table later;
    CHECK(later.load({spec}, "2026-03-10 03:10", {stored(spec, "2026-03-09 02:00")}) ==
          Texts{"missed j 1 until 2026-03-10 02:00", "start j 2026-03-10 02:00 catch-up"});
}

TEST_CASE("counting over many jobs is bounded, running what was missed is not") {
    Table table;
    std::vector<PlannedJob> jobs;
    std::vector<catalog::JobState> states;
    for (int i = 0; i < 300; ++i) {
        jobs.push_back(job("j" + std::to_string(i), "every 15 minutes"));
        states.push_back(stored(jobs.back(), "2026-01-02 00:00"));
    }
    const auto actions = table.planner.load(jobs, states, at("2026-03-10 12:05"));
    std::uint64_t counted = 0;
    std::size_t starts = 0;
    for (const auto& action : actions) {
        if (const auto* missed = std::get_if<Missed>(&action)) {
            CHECK((missed->more && missed->count >= 1));
            counted += missed->count;
        }
        if (const auto* start = std::get_if<Start>(&action)) {
            CHECK((start->catch_up && start->slot == at("2026-03-10 12:00")));
            ++starts;
        }
    }
    CHECK(starts == 300);
    CHECK(counted == Planner::most_counted_at_once + 100);
}

}  // namespace
}  // namespace pgbakd::scheduler::test
