// Slots that have passed while their start has not: what an edit, another offset, a pause makes of them.
#include "support.hpp"

namespace pgbakd::scheduler::test {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

PlannedJob jittered(std::string_view schedule, std::chrono::seconds offset, std::string_view catch_up = "skip") {
    return job("j", schedule, {.catch_up = catch_up, .offset = offset});
}

TEST_CASE("a smaller offset misses no fire whose start was to come: it starts now, or when it should now") {
    struct Row {
        const char* what;
        minutes before, after;
        const char* reload;
        Texts at_reload;
        Texts later;
    };
    for (const auto& row : {
             Row{"its new time has passed long since",
                 minutes(30),
                 minutes(0),
                 "2026-03-10 02:20",
                 {"start j 2026-03-10 02:00"},
                 {}},
             Row{"its new time is to come",
                 minutes(30),
                 minutes(25),
                 "2026-03-10 02:20",
                 {},
                 {"start j 2026-03-10 02:00"}},
             Row{"a larger offset", minutes(30), minutes(40), "2026-03-10 02:20", {}, {"start j 2026-03-10 02:00"}},
             Row{"it was missed by the old offset too",
                 minutes(5),
                 minutes(0),
                 "2026-03-10 02:20",
                 {"missed j 1 until 2026-03-10 02:00",
                  "skip j 2026-03-10 02:00: it was missed, and the job catches up on nothing"},
                 {}},
         }) {
        INFO(row.what);
        Table table;
        table.load({jittered("daily at 02:00", row.before)}, "2026-03-09 12:00");
        CHECK(table.load({jittered("daily at 02:00", row.after)}, row.reload) == row.at_reload);
        CHECK(table.run_until("2026-03-10 12:00") == row.later);
        CHECK(table.next("j") == "2026-03-11 02:00");
    }
}

TEST_CASE("a smaller offset is forgiven once: what is missed later is missed") {
    Table table;
    table.load({jittered("hourly", minutes(50))}, "2026-03-10 00:30");
    CHECK(table.load({jittered("hourly", minutes(45))}, "2026-03-10 01:40").empty());
    CHECK(table.tick("2026-03-10 03:55") ==
          Texts{"missed j 3 until 2026-03-10 03:00",
                "skip j 2026-03-10 03:00: it was missed, and the job catches up on nothing"});
}

TEST_CASE("another offset found by a restart: the fire is told and goes by the policy") {
    for (const auto* catch_up : {"once", "skip"}) {
        INFO(catch_up);
        const auto before = jittered("daily at 02:00", minutes(30), catch_up);
        const auto after = jittered("daily at 02:00", minutes(2), catch_up);  // the host has another name now
        Table restarted;
        const auto told = restarted.load({after}, "2026-03-10 02:20", {stored(before, "2026-03-09 02:00")});
        REQUIRE(told.size() == 2);
        CHECK(told.at(0) == "missed j 1 until 2026-03-10 02:00");
        CHECK(told.at(1) == (catch_up == std::string("once")
                                 ? "start j 2026-03-10 02:00 catch-up"
                                 : "skip j 2026-03-10 02:00: it was missed, and the job catches up on nothing"));
    }
}

TEST_CASE("an edit drops no fire whose start is to come in silence: it keeps its place or is skipped with a word") {
    struct Row {
        const char* what;
        PlannedJob after;
        Texts told, later;
        const char* next;
    };
    const std::string gone = "skip j 2026-03-10 02:00: the schedule was edited while it waited";
    const std::string anew = "anchor j 2026-03-10 02:20: schedule or time zone edited";
    const std::string kept = "anchor j 2026-03-10 01:59:59: schedule or time zone edited";
    for (const auto& row : {
             Row{"no fire of the new schedule",
                 jittered("daily at 03:00", minutes(30)),
                 {gone, anew},
                 {"start j 2026-03-10 03:00"},
                 "2026-03-11 03:00"},
             Row{"one of both",
                 jittered("daily at 02:00, 14:00", minutes(30)),
                 {kept},
                 {"start j 2026-03-10 02:00"},
                 "2026-03-10 14:00"},
             Row{"one of both, with a smaller offset",
                 jittered("daily at 02:00, 14:00", minutes(1)),
                 {kept, "start j 2026-03-10 02:00"},
                 {},
                 "2026-03-10 14:00"},
             Row{"one of a periodic schedule",
                 jittered("hourly", minutes(30)),
                 {kept},
                 {"start j 2026-03-10 02:00", "start j 2026-03-10 03:00", "start j 2026-03-10 04:00"},
                 "2026-03-10 05:00"},
             Row{"the same time in another zone is another fire",
                 job("j", "daily at 02:00", {.catch_up = "skip", .offset = minutes(30), .zone = berlin()}),
                 {gone, anew},
                 {},
                 "2026-03-11 01:00"},
         }) {
        INFO(row.what);
        const auto before = jittered("daily at 02:00", minutes(30));
        Table table;
        table.load({before}, "2026-03-09 12:00");
        const auto actions = table.planner.load({row.after}, {}, at("2026-03-10 02:20"));
        CHECK(texts(actions) == row.told);
        if (row.what != std::string("one of both, with a smaller offset")) {
            // A start that finds the file edited does the same, and so does one right after the reload.
            Table restarted;
            CHECK(restarted.load({row.after}, "2026-03-10 02:20", {stored(before, "2026-03-09 12:00")}) ==
                  (row.after.zone->name() == "UTC" ? row.told : Texts{anew}));
            for (const auto& action : actions) {
                if (!std::holds_alternative<Anchor>(action)) continue;
                Table killed;
                CHECK(killed.load({row.after}, "2026-03-10 02:21", {std::get<Anchor>(action).state}).empty());
                CHECK(killed.run_until("2026-03-10 04:45") == row.later);
            }
        }
        CHECK(table.run_until("2026-03-10 04:45") == row.later);
        CHECK(table.next("j") == row.next);
    }
}

TEST_CASE("a pause tells of a fire whose start was to come, and settles it") {
    Table table;
    const auto j = jittered("daily at 02:00", minutes(30));
    table.load({j}, "2026-03-09 12:00");
    const auto paused = table.planner.pause("j", at("2026-03-10 02:20"));
    CHECK(texts(paused) ==
          Texts{"skip j 2026-03-10 02:00: the job was paused while it waited", "anchor j 2026-03-10 02:00: paused"});
    CHECK(texts(table.planner.resume("j", at("2026-03-10 02:25"))) == Texts{"anchor j 2026-03-10 02:25: resumed"});
    CHECK(table.run_until("2026-03-11 12:00") == Texts{"start j 2026-03-11 02:00"});
}

TEST_CASE("an offset beyond the gap between fires: they start in order, none lost, none doubled") {
    // Where clocks go forward, fires of a fixed schedule come closer than its times are apart; no offset need fear it.
    const auto spec =
        job("j", "daily at 01:30, 02:30, 03:30", {.catch_up = "skip", .offset = minutes(90), .zone = berlin()});
    const Texts fires{"start j 2026-03-29 00:30", "start j 2026-03-29 01:00", "start j 2026-03-29 01:30"};
    Table table;
    table.load({spec}, "2026-03-28 12:00");
    CHECK(table.run_until("2026-03-29 12:00") == fires);
    // Killed and started again while several are to come.
    Texts all;
    catalog::JobState state = stored(spec, "2026-03-28 12:00");
    for (auto now = at("2026-03-29 00:20"); now < at("2026-03-29 12:00"); now += minutes(7)) {
        Planner planner(at("2026-01-01 00:00"));
        static_cast<void>(planner.load({spec}, {state}, now));
        for (auto wake = planner.next_wake(); wake && *wake < now + minutes(7); wake = planner.next_wake())
            for (const auto& action : planner.on_time(*wake)) {
                all.push_back(std::visit(Describe{}, action));
                REQUIRE(std::holds_alternative<Start>(action));
                state = std::get<Start>(action).state;
                CHECK(planner.on_finished("j", *wake).empty());
            }
    }
    CHECK(all == fires);
}

}  // namespace
}  // namespace pgbakd::scheduler::test
