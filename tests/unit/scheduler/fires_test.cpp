// What is due, what waits, what is skipped.
#include "support.hpp"

namespace pgbakd::scheduler::test {
namespace {

TEST_CASE("a new job starts with its next slot, and each slot starts once") {
    Table table;
    CHECK(table.load({job("nightly", "daily at 02:00")}, "2026-03-01 12:00") ==
          Texts{"anchor nightly 2026-03-01 12:00: new job"});
    CHECK(table.planner.next_wake() == at("2026-03-02 02:00"));
    CHECK(table.tick("2026-03-02 01:59:59").empty());
    CHECK(table.tick("2026-03-02 02:00") == Texts{"start nightly 2026-03-02 02:00"});
    CHECK(table.tick("2026-03-02 02:00").empty());
    CHECK(table.tick("2026-03-02 23:00").empty());
    CHECK(table.next("nightly") == "2026-03-03 02:00");
}

TEST_CASE("a start carries the state to be recorded before it runs") {
    Table table;
    const auto nightly = job("nightly", "daily at 02:00", {.zone = berlin()});
    CHECK(table.load({nightly}, "2026-03-01 12:00").size() == 1);
    const auto actions = table.planner.on_time(at("2026-03-02 01:00"));
    REQUIRE(actions.size() == 1);
    CHECK(std::get<Start>(actions[0]) ==
          Start{"nightly", at("2026-03-02 01:00"), false, false, stored(nightly, "2026-03-02 01:00")});
    CHECK(std::get<Start>(actions[0]).state.schedule == "daily at 02:00 [Europe/Berlin]");
}

TEST_CASE("a job still running when it is due again is skipped, and says so") {
    Table table;
    table.load({job("nightly", "daily at 02:00")}, "2026-03-01 00:00");
    CHECK(table.tick("2026-03-01 02:00") == Texts{"start nightly 2026-03-01 02:00"});
    const auto actions = table.planner.on_time(at("2026-03-02 02:00"));
    CHECK(texts(actions) == Texts{"skip nightly 2026-03-02 02:00: its last run is still going on"});
    CHECK(std::get<Skip>(actions[0]).state.anchor == at("2026-03-02 02:00"));
    CHECK(table.finished("nightly", "2026-03-02 03:00").empty());
    CHECK(table.tick("2026-03-03 02:00") == Texts{"start nightly 2026-03-03 02:00"});
}

TEST_CASE("with overlap: queue one waits, the newest, and starts when the run ends") {
    Table table;
    table.load({job("hourly", "hourly", {.overlap = model::Overlap::queue})}, "2026-03-01 00:30");
    CHECK(table.tick("2026-03-01 01:00") == Texts{"start hourly 2026-03-01 01:00"});
    CHECK(table.tick("2026-03-01 02:00").empty());
    CHECK(table.tick("2026-03-01 03:00") == Texts{"skip hourly 2026-03-01 02:00: a later fire took its place"});
    CHECK(table.finished("hourly", "2026-03-01 03:10") == Texts{"start hourly 2026-03-01 03:00"});
    CHECK(table.finished("hourly", "2026-03-01 03:20").empty());
    CHECK(table.tick("2026-03-01 04:00") == Texts{"start hourly 2026-03-01 04:00"});
}

TEST_CASE("what waits is not settled: a restart finds it again") {
    Table table;
    const auto hourly = job("hourly", "hourly", {.overlap = model::Overlap::queue});
    table.load({hourly}, "2026-03-01 00:30");
    const auto first = table.planner.on_time(at("2026-03-01 01:00"));
    CHECK(table.tick("2026-03-01 02:00").empty());
    Table after_restart;
    CHECK(after_restart.load({hourly}, "2026-03-01 02:05", {std::get<Start>(first.at(0)).state}) ==
          Texts{"missed hourly 1 until 2026-03-01 02:00", "start hourly 2026-03-01 02:00 catch-up"});
}

TEST_CASE("a later fire that is skipped does not settle an older one that waits") {
    struct Row {
        const char* catch_up;
        const char* reason;
    };
    for (const auto& row : {Row{"once within 1h", "it was missed too long ago to catch up on"},
                            Row{"skip", "it was missed, and the job catches up on nothing"}}) {
        INFO(row.catch_up);
        const auto spec = job("j", "every 2 hours", {.catch_up = row.catch_up, .overlap = model::Overlap::queue});
        Table table;
        table.load({spec}, "2026-03-01 00:30");
        CHECK(table.tick("2026-03-01 02:00").size() == 1);
        CHECK(table.tick("2026-03-01 04:00").empty());  // waits
        // The machine sleeps over the next fire.
        const auto late = table.planner.on_time(at("2026-03-01 07:30"));
        CHECK(texts(late) ==
              Texts{"missed j 1 until 2026-03-01 06:00", "skip j 2026-03-01 06:00: " + std::string(row.reason)});
        const auto recorded = std::get<Skip>(late.at(1)).state;
        CHECK(recorded.anchor == at("2026-03-01 02:00"));
        // Killed now, the fire of 04:00 has not vanished without a word.
        Table restarted;
        CHECK(restarted.load({spec}, "2026-03-01 07:40", {recorded}).at(0) == "missed j 2 until 2026-03-01 06:00");
        // Else it runs, and then both are settled.
        const auto started = table.planner.on_finished("j", at("2026-03-01 07:40"));
        CHECK(texts(started) == Texts{"start j 2026-03-01 04:00"});
        CHECK(std::get<Start>(started.at(0)).state.anchor == at("2026-03-01 06:00"));
    }
}

TEST_CASE("manual runs count for overlap") {
    Table table;
    table.load({job("nightly", "daily at 02:00")}, "2026-03-01 00:00");
    table.planner.on_started("nightly");
    table.planner.on_started("nightly");  // a second one, which the lock is about to refuse
    CHECK(table.finished("nightly", "2026-03-01 01:00").empty());
    CHECK(table.tick("2026-03-01 02:00") == Texts{"skip nightly 2026-03-01 02:00: its last run is still going on"});
    CHECK(table.finished("nightly", "2026-03-01 03:00").empty());
    CHECK(table.finished("nightly", "2026-03-01 03:00").empty());  // one too many does no harm
    CHECK(table.finished("unknown", "2026-03-01 03:00").empty());
    CHECK(table.tick("2026-03-02 02:00") == Texts{"start nightly 2026-03-02 02:00"});
}

TEST_CASE("jitter moves the start, not the slot") {
    Table table;
    table.load({job("nightly", "daily at 02:00", {.offset = std::chrono::seconds(90)})}, "2026-03-01 00:00");
    CHECK(table.planner.next_wake() == at("2026-03-01 02:01:30"));
    CHECK(table.tick("2026-03-01 02:01:29").empty());
    CHECK(table.planner.next_fire("nightly") == Upcoming{"nightly", at("2026-03-01 02:00"), at("2026-03-01 02:01:30")});
    CHECK(table.tick("2026-03-01 02:01:30") == Texts{"start nightly 2026-03-01 02:00"});
    // Another job of a fleet, first loaded between slot and start: "the next slot" is tomorrow's.
    Table late;
    late.load({job("nightly", "daily at 02:00", {.offset = std::chrono::seconds(90)})}, "2026-03-01 02:00:10");
    CHECK(late.next("nightly") == "2026-03-02 02:00");
}

TEST_CASE("a schedule that fires once fires once") {
    Table table;
    const auto once = job("move", "once at 2026-03-01 02:00");
    table.load({once}, "2026-02-01 00:00");
    CHECK(table.run_until("2030-01-01 00:00") == Texts{"start move 2026-03-01 02:00"});
    CHECK(table.planner.next_wake() == std::nullopt);
    CHECK(table.planner.next_fire("move") == std::nullopt);
    SECTION("also when it was missed") {
        Table restarted;
        CHECK(restarted.load({once}, "2026-03-05 00:00", {stored(once, "2026-02-01 00:00")}) ==
              Texts{"missed move 1 until 2026-03-01 02:00", "start move 2026-03-01 02:00 catch-up"});
    }
    SECTION("and stays done after a restart") {
        Table restarted;
        CHECK(restarted.load({once}, "2026-03-05 00:00", {stored(once, "2026-03-01 02:00")}).empty());
    }
}

TEST_CASE("jobs that run on events have no fires, but can be loaded, paused and forgotten") {
    Table table;
    CHECK(table.load({job("config", "on change"), job("releases", "milestone")}, "2026-03-01 00:00") ==
          Texts{"anchor config 2026-03-01 00:00: new job", "anchor releases 2026-03-01 00:00: new job"});
    CHECK(table.planner.next_wake() == std::nullopt);
    CHECK(texts(table.planner.pause("config", at("2026-03-01 01:00"))) ==
          Texts{"anchor config 2026-03-01 00:00: paused"});
    CHECK(table.planner.is_paused("config"));
    CHECK(table.load({}, "2026-03-01 02:00") == Texts{"forget config", "forget releases"});
}

TEST_CASE("fires of one instant come in the order of the configuration, others in the order of time") {
    Table table;
    table.load({job("c", "daily at 03:00"), job("b", "daily at 02:00"), job("a", "daily at 02:00"),
                job("d", "daily at 01:00", {.offset = std::chrono::hours(1)})},
               "2026-03-01 00:00");
    CHECK(table.planner.upcoming(2) == std::vector<Upcoming>{{"b", at("2026-03-01 02:00"), at("2026-03-01 02:00")},
                                                             {"a", at("2026-03-01 02:00"), at("2026-03-01 02:00")}});
    CHECK(table.planner.upcoming(10).size() == 4);
    CHECK(table.run_until("2026-03-01 12:00") == Texts{"start b 2026-03-01 02:00", "start a 2026-03-01 02:00",
                                                       "start d 2026-03-01 01:00", "start c 2026-03-01 03:00"});
}

TEST_CASE("fires seconds apart that one look finds are all dealt with") {
    Table table;
    table.load({job("busy", "calendar *-*-* *:*:00/20")}, "2026-03-01 00:00:05");
    CHECK(table.tick("2026-03-01 00:00:45") ==
          Texts{"start busy 2026-03-01 00:00:20", "skip busy 2026-03-01 00:00:40: its last run is still going on"});
}

TEST_CASE("clock changes in the job's zone neither lose nor double a day") {
    Table table;
    table.load({job("gap", "daily at 02:30", {.zone = berlin()})}, "2026-03-28 12:00");
    CHECK(table.run_until("2026-03-31 00:00") == Texts{"start gap 2026-03-29 01:00", "start gap 2026-03-30 00:30"});
    Table autumn;
    autumn.load({job("overlap", "daily at 02:30", {.zone = berlin()})}, "2026-10-24 12:00");
    CHECK(autumn.run_until("2026-10-26 12:00") ==
          Texts{"start overlap 2026-10-25 00:30", "start overlap 2026-10-26 01:30"});
}

}  // namespace
}  // namespace pgbakd::scheduler::test
