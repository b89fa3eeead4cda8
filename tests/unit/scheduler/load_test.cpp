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

TEST_CASE("an edit drops what waits, and says so: fires of the old schedule do not run") {
    Table table;
    const auto before = job("j", "every 5 minutes", {.catch_up = "all"});
    CHECK(table.load({before}, "2026-03-10 10:11", {stored(before, "2026-03-10 09:55")}) ==
          Texts{"missed j 3 until 2026-03-10 10:10", "start j 2026-03-10 10:00 catch-up"});
    const auto after = job("j", "daily at 02:00", {.catch_up = "all"});
    const auto edited = table.planner.load({after}, {}, at("2026-03-10 10:12"));
    CHECK(texts(edited) == Texts{"skip j 2026-03-10 10:05: the schedule was edited while it waited",
                                 "skip j 2026-03-10 10:10: the schedule was edited while it waited",
                                 "anchor j 2026-03-10 10:12: schedule or time zone edited"});
    CHECK(table.finished("j", "2026-03-10 11:00").empty());
    CHECK(table.next("j") == "2026-03-11 02:00");
    // Nor do they after a kill, be it in the middle.
    for (const auto& state : {std::get<Skip>(edited.at(0)).state, std::get<Anchor>(edited.at(2)).state}) {
        Table restarted;
        for (const auto& text : restarted.load({after}, "2026-03-10 11:00", {state}))
            CHECK(text == "anchor j 2026-03-10 11:00: schedule or time zone edited");
        CHECK(restarted.next("j") == "2026-03-11 02:00");
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
          Texts{"skip a 2026-03-10 01:00: the job was paused while it waited", "anchor a 2026-03-10 01:00: paused",
                "start b 2026-03-10 01:00"});
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

TEST_CASE("new rules of a zone do not double the day of a fixed schedule") {
    const auto before = zone_of("Test/Town", "AAA-2"), after = zone_of("Test/Town", "BBB-1");
    const auto j = job("j", "daily at 02:00", {.zone = before});
    auto moved = j;
    moved.zone = after;
    Table table;
    table.load({j}, "2026-03-09 12:00");
    CHECK(table.run_until("2026-03-10 00:00") == Texts{"start j 2026-03-10 00:00"});
    std::vector<Action> told;
    SECTION("told of by the event") {
        told = table.planner.on_zones_changed({{"j", after}}, at("2026-03-10 00:30"));
    }
    SECTION("found by a reload") {
        told = table.planner.load({moved}, {}, at("2026-03-10 00:30"));
    }
    SECTION("while it is paused") {
        CHECK(table.planner.pause("j", at("2026-03-10 00:20")).size() == 1);
        told = table.planner.on_zones_changed({{"j", after}}, at("2026-03-10 00:30"));
        CHECK(texts(table.planner.resume("j", at("2026-03-10 00:40"))) == Texts{"anchor j 2026-03-10 01:00: resumed"});
    }
    CHECK(texts(told).at(0) == "anchor j 2026-03-10 01:00: new time zone rules");
    CHECK(table.run_until("2026-03-11 12:00") == Texts{"start j 2026-03-11 01:00"});
    // A restart right after knows it too.
    auto state = std::get<Anchor>(told.at(0)).state;
    state.paused = false;
    Table restarted;
    CHECK(restarted.load({moved}, "2026-03-10 00:35", {state}).empty());
    CHECK(restarted.run_until("2026-03-11 12:00") == Texts{"start j 2026-03-11 01:00"});
}

TEST_CASE("new rules of a zone do not lose a slot that they move before the last look") {
    const auto before = zone_of("Test/Town", "AAA-1"), after = zone_of("Test/Town", "BBB-2");
    Table table;
    const auto j = job("j", "twice-daily at 01:00, 13:00", {.zone = before});
    CHECK(table.load({j}, "2026-03-10 23:30", {stored(j, "2026-03-10 00:00")}) ==
          Texts{"missed j 1 until 2026-03-10 12:00", "start j 2026-03-10 12:00 catch-up"});
    CHECK(table.finished("j", "2026-03-10 23:31").empty());
    CHECK(texts(table.planner.on_zones_changed({{"j", after}}, at("2026-03-10 23:32"))) ==
          Texts{"moved j from 2026-03-11 00:00 to 2026-03-10 23:00", "missed j 1 until 2026-03-10 23:00",
                "start j 2026-03-10 23:00 catch-up"});
}

TEST_CASE("new rules of a zone with a gap do not double the day whose time is in the gap") {
    Table table;
    table.load({job("j", "daily at 02:30", {.zone = zone_of("Europe/Berlin", "XXX-2")})}, "2026-03-28 12:00");
    CHECK(table.run_until("2026-03-29 00:30") == Texts{"start j 2026-03-29 00:30"});
    CHECK(texts(table.planner.on_zones_changed({{"j", berlin()}}, at("2026-03-29 00:40"))).at(0) ==
          "anchor j 2026-03-29 01:00: new time zone rules");
    CHECK(table.run_until("2026-03-30 12:00") == Texts{"start j 2026-03-30 00:30"});
}

TEST_CASE("new rules of a zone neither lose nor double fires that wait") {
    const auto before = zone_of("Test/Town", "AAA-2"), after = zone_of("Test/Town", "BBB-1");
    const auto j = job("j", "daily at 02:00", {.catch_up = "all", .zone = before});
    auto moved = j;
    moved.zone = after;
    Table table;
    CHECK(table.load({j}, "2026-03-10 00:30", {stored(j, "2026-03-07 00:00")}) ==
          Texts{"missed j 3 until 2026-03-10 00:00", "start j 2026-03-08 00:00 catch-up"});
    const auto told = table.planner.on_zones_changed({{"j", after}}, at("2026-03-10 00:30"));
    // What the next start would miss: the two that wait, by the new rules.
    Table killed;
    CHECK(killed.load({moved}, "2026-03-10 01:30", {std::get<Anchor>(told.at(0)).state}) ==
          Texts{"missed j 2 until 2026-03-10 01:00", "start j 2026-03-09 01:00 catch-up"});
    const auto second = table.planner.on_finished("j", at("2026-03-10 00:40"));
    CHECK(texts(second) == Texts{"start j 2026-03-09 00:00 catch-up"});
    Table killed_later;
    CHECK(killed_later.load({moved}, "2026-03-10 01:30", {std::get<Start>(second.at(0)).state}) ==
          Texts{"missed j 1 until 2026-03-10 01:00", "start j 2026-03-10 01:00 catch-up"});
    CHECK(table.finished("j", "2026-03-10 00:50") == Texts{"start j 2026-03-10 00:00 catch-up"});
    CHECK(table.finished("j", "2026-03-10 01:00").empty());
    CHECK(table.next("j") == "2026-03-11 01:00");
}

TEST_CASE("new rules of a zone leave the pace of a periodic schedule alone") {
    const auto before = zone_of("Test/Town", "AAA-2"), after = zone_of("Test/Town", "BBB-1:30");
    Table table;
    table.load({job("j", "hourly", {.zone = before})}, "2026-03-10 00:10");
    CHECK(texts(table.planner.on_zones_changed({{"j", after}}, at("2026-03-10 00:20"))) ==
          Texts{"moved j from 2026-03-10 01:00 to 2026-03-10 00:30"});
}

}  // namespace
}  // namespace pgbakd::scheduler::test
