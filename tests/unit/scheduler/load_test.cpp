// Jobs that come, change, pause and go.
#include "support.hpp"

namespace pgbakd::scheduler::test {
namespace {

TEST_CASE("an edited schedule or zone starts with its next slot; other edits keep the place") {
    const auto before = job("j", "daily at 02:00");
    struct Row {
        const char* what;
        PlannedJob after;
        Texts expected;
    };
    const std::vector<Row> rows{
        {"nothing changed", before, {"missed j 1 until 2026-03-10 02:00", "start j 2026-03-10 02:00 catch-up"}},
        {"the same in other words",
         job("j", "0 2 * * *"),
         {calendar::Schedule::parse("0 2 * * *").value() == before.schedule
              ? "start j 2026-03-10 02:00 catch-up"
              : "anchor j 2026-03-10 12:00: schedule or time zone edited"}},
        {"schedule", job("j", "daily at 03:00"), {"anchor j 2026-03-10 12:00: schedule or time zone edited"}},
        {"zone",
         job("j", "daily at 02:00", {.zone = berlin()}),
         {"anchor j 2026-03-10 12:00: schedule or time zone edited"}},
        {"policy",
         job("j", "daily at 02:00", {.catch_up = "once within 1h"}),
         {"missed j 1 until 2026-03-10 02:00", "skip j 2026-03-10 02:00: it was missed too long ago to catch up on"}},
        {"jitter",
         job("j", "daily at 02:00", {.offset = std::chrono::minutes(5)}),
         {"missed j 1 until 2026-03-10 02:00", "start j 2026-03-10 02:00 catch-up"}},
    };
    for (const auto& row : rows) {
        INFO(row.what);
        Table restarted;
        CHECK(restarted.load({row.after}, "2026-03-10 12:00", {stored(before, "2026-03-09 02:00")}) == row.expected);
        Table reloaded;
        CHECK(reloaded.load({before}, "2026-03-09 12:00", {stored(before, "2026-03-09 02:00")}).empty());
        CHECK(reloaded.load({row.after}, "2026-03-10 12:00") == row.expected);
    }
}

TEST_CASE("a reload keeps what runs, what waits, and what is done; the catalog's older word does not count") {
    const auto j = job("j", "hourly", {.overlap = model::Overlap::queue});
    Table table;
    table.load({j}, "2026-03-10 00:30");
    CHECK(table.tick("2026-03-10 01:00") == Texts{"start j 2026-03-10 01:00"});
    CHECK(table.tick("2026-03-10 02:00").empty());
    CHECK(table.load({j, job("other", "hourly")}, "2026-03-10 02:30", {stored(j, "2026-03-10 00:30")}) ==
          Texts{"anchor other 2026-03-10 02:30: new job"});
    CHECK(table.finished("j", "2026-03-10 02:40") == Texts{"start j 2026-03-10 02:00"});
    CHECK(table.next("j") == "2026-03-10 03:00");
}

TEST_CASE("a job that is gone is forgotten; back again it is new, but its run still counts") {
    Table table;
    const auto j = job("j", "hourly");
    table.load({j}, "2026-03-10 00:30");
    CHECK(table.tick("2026-03-10 01:00") == Texts{"start j 2026-03-10 01:00"});
    CHECK(table.load({}, "2026-03-10 01:10") == Texts{"forget j"});
    CHECK(table.planner.next_wake() == std::nullopt);
    CHECK(table.load({j}, "2026-03-10 01:20") == Texts{"anchor j 2026-03-10 01:20: new job"});
    CHECK(table.tick("2026-03-10 02:00") == Texts{"skip j 2026-03-10 02:00: its last run is still going on"});
    CHECK(table.finished("j", "2026-03-10 02:10").empty());
    CHECK(table.tick("2026-03-10 03:00") == Texts{"start j 2026-03-10 03:00"});
}

TEST_CASE("states of jobs that no configuration has are forgotten at start") {
    Table table;
    const auto gone = job("gone", "hourly");
    CHECK(table.load({}, "2026-03-10 00:30", {stored(gone, "2026-03-01 00:00")}) == Texts{"forget gone"});
}

TEST_CASE("a paused job runs nothing; resumed it starts with its next slot") {
    const auto j = job("j", "hourly");
    Table table;
    table.load({j}, "2026-03-10 00:30");
    const auto paused = table.planner.pause("j", at("2026-03-10 00:40"));
    CHECK(texts(paused) == Texts{"anchor j 2026-03-10 00:30: paused"});
    CHECK(std::get<Anchor>(paused.at(0)).state.paused);
    CHECK(table.planner.pause("j", at("2026-03-10 00:41")).empty());
    CHECK(table.planner.next_wake() == std::nullopt);
    CHECK(table.tick("2026-03-10 05:30").empty());

    SECTION("in the same process") {
        const auto resumed = table.planner.resume("j", at("2026-03-10 05:30"));
        CHECK(texts(resumed) == Texts{"anchor j 2026-03-10 05:30: resumed"});
        CHECK(std::get<Anchor>(resumed.at(0)).state == stored(j, "2026-03-10 05:30"));
        CHECK(table.planner.resume("j", at("2026-03-10 05:31")).empty());
        CHECK(table.next("j") == "2026-03-10 06:00");
    }
    SECTION("after a restart, and a reload") {
        Table restarted;
        CHECK(restarted.load({j}, "2026-03-10 05:30", {std::get<Anchor>(paused.at(0)).state}).empty());
        CHECK(restarted.planner.is_paused("j"));
        CHECK(restarted.next("j") == "never");
        CHECK(restarted.load({j}, "2026-03-10 06:30").empty());
        CHECK(texts(restarted.planner.resume("j", at("2026-03-10 06:40"))) ==
              Texts{"anchor j 2026-03-10 06:40: resumed"});
        CHECK(restarted.tick("2026-03-10 07:00") == Texts{"start j 2026-03-10 07:00"});
    }
    SECTION("edited while paused") {
        CHECK(table.load({job("j", "daily at 02:00")}, "2026-03-10 05:30").empty());
        CHECK(texts(table.planner.resume("j", at("2026-03-10 05:40"))) == Texts{"anchor j 2026-03-10 05:40: resumed"});
        CHECK(table.next("j") == "2026-03-11 02:00");
    }
    SECTION("unknown jobs are no matter") {
        CHECK(table.planner.pause("nobody", at("2026-03-10 05:30")).empty());
        CHECK(table.planner.resume("nobody", at("2026-03-10 05:30")).empty());
        CHECK_FALSE(table.planner.is_paused("nobody"));
    }
}

TEST_CASE("pausing drops what waits, and says so") {
    Table table;
    table.load({job("j", "hourly", {.overlap = model::Overlap::queue})}, "2026-03-10 00:30");
    CHECK(table.tick("2026-03-10 01:00").size() == 1);
    CHECK(table.tick("2026-03-10 02:00").empty());
    CHECK(texts(table.planner.pause("j", at("2026-03-10 02:10"))) ==
          Texts{"skip j 2026-03-10 02:00: the job was paused while it waited", "anchor j 2026-03-10 02:00: paused"});
    CHECK(table.finished("j", "2026-03-10 02:20").empty());
}

TEST_CASE("a fire that is due when another event comes is not lost to it") {
    Table table;
    table.load({job("a", "hourly"), job("b", "hourly")}, "2026-03-10 00:30");
    CHECK(texts(table.planner.pause("a", at("2026-03-10 01:00"))) ==
          Texts{"anchor a 2026-03-10 00:30: paused", "start b 2026-03-10 01:00"});
}

TEST_CASE("new rules of a zone move slots, and say which") {
    const auto old_zone = zone_of("Test/Town", "AAA0");
    const auto new_zone = zone_of("Test/Town", "BBB-1");  // an hour ahead of UTC
    const auto j = job("j", "daily at 02:00", {.zone = old_zone});
    const auto other = job("other", "daily at 04:00");
    Table table;
    table.load({j, other}, "2026-03-10 12:00");

    SECTION("by the event") {
        CHECK(texts(table.planner.on_zones_changed({{"j", new_zone}, {"nobody", new_zone}}, at("2026-03-10 12:30"))) ==
              Texts{"moved j from 2026-03-11 02:00 to 2026-03-11 01:00"});
    }
    SECTION("by a reload, which does not count as an edit") {
        auto moved = j;
        moved.zone = new_zone;
        CHECK(table.load({moved, other}, "2026-03-10 12:30") ==
              Texts{"moved j from 2026-03-11 02:00 to 2026-03-11 01:00"});
    }
    CHECK(table.run_until("2026-03-11 12:00") == Texts{"start j 2026-03-11 01:00", "start other 2026-03-11 04:00"});
}

TEST_CASE("new rules that change no slot to come are no news") {
    Table table;
    table.load({job("j", "daily at 02:00", {.zone = zone_of("Test/Town", "AAA0")})}, "2026-03-10 12:00");
    CHECK(table.planner.on_zones_changed({{"j", zone_of("Test/Town", "AAA0")}}, at("2026-03-10 12:30")).empty());
    CHECK(table.next("j") == "2026-03-11 02:00");
}

}  // namespace
}  // namespace pgbakd::scheduler::test
