// Clocks that are set.
#include "support.hpp"

namespace pgbakd::scheduler::test {
namespace {

TEST_CASE("set back by up to three hours: fixed slots that were done are not repeated") {
    Table table;
    table.load({job("nightly", "daily at 02:00")}, "2026-03-10 00:00");
    CHECK(table.run_until("2026-03-10 02:30") == Texts{"start nightly 2026-03-10 02:00"});
    CHECK(table.tick("2026-03-10 02:30").empty());
    CHECK(texts(table.planner.on_clock_step(at("2026-03-09 23:30"))).empty());
    CHECK(table.next("nightly") == "2026-03-11 02:00");
    CHECK(table.run_until("2026-03-11 02:30") == Texts{"start nightly 2026-03-11 02:00"});
}

TEST_CASE("set back by up to three hours: periodic schedules keep their pace") {
    Table table;
    const auto spec = job("often", "every 15 minutes");
    table.load({spec}, "2026-03-10 09:50");
    CHECK(table.run_until("2026-03-10 10:20") == Texts{"start often 2026-03-10 10:00", "start often 2026-03-10 10:15"});
    CHECK(table.tick("2026-03-10 10:20").empty());
    CHECK(texts(table.planner.on_clock_step(at("2026-03-10 09:50"))).empty());

    const auto again = table.planner.on_time(at("2026-03-10 10:00"));
    CHECK(texts(again) == Texts{"start often 2026-03-10 10:00 again"});
    // The catalog's mark stays where it was: nothing is settled twice, nothing unsettled.
    CHECK(std::get<Start>(again.at(0)).state == stored(spec, "2026-03-10 10:15"));
    CHECK(table.finished("often", "2026-03-10 10:01").empty());
    CHECK(table.run_until("2026-03-10 10:30") ==
          Texts{"start often 2026-03-10 10:15 again", "start often 2026-03-10 10:30"});
}

TEST_CASE("the same when the clock was set back while the daemon was down") {
    const auto often = job("often", "every 15 minutes");
    const auto nightly = job("nightly", "daily at 02:00");
    Table table;
    CHECK(table
              .load({often, nightly}, "2026-03-10 01:50",
                    {stored(often, "2026-03-10 02:15"), stored(nightly, "2026-03-10 02:00")})
              .empty());
    CHECK(table.run_until("2026-03-10 02:30") == Texts{"start often 2026-03-10 02:00 again",
                                                       "start often 2026-03-10 02:15 again",
                                                       "start often 2026-03-10 02:30"});
}

TEST_CASE("set back a little and forward again: what was done was not missed, and is not done again") {
    for (const auto* catch_up : {"skip", "once", "all"}) {
        INFO(catch_up);
        const auto often = job("often", "every 30 minutes", {.catch_up = catch_up});
        Table table;
        // The hardware clock was two hours slow, until the network told the time.
        CHECK(table.load({often}, "2026-03-10 10:05", {stored(often, "2026-03-10 12:00")}).empty());
        CHECK(texts(table.planner.on_clock_step(at("2026-03-10 12:06"))).empty());
        CHECK(table.next("often") == "2026-03-10 12:30");
        // Only what is new was missed.
        CHECK(texts(table.planner.on_clock_step(at("2026-03-10 11:10"))).empty());
        CHECK(texts(table.planner.on_clock_step(at("2026-03-10 12:40"))).at(0) ==
              "missed often 1 until 2026-03-10 12:30");
    }
}

TEST_CASE("set back a little: what waits does not wait twice, and is not skipped while it waits") {
    for (const auto* catch_up : {"once", "all"}) {
        INFO(catch_up);
        Table table;
        table.load({job("j", "hourly", {.catch_up = catch_up, .overlap = model::Overlap::queue})}, "2026-03-10 08:30");
        CHECK(table.tick("2026-03-10 09:00") == Texts{"start j 2026-03-10 09:00"});
        CHECK(table.tick("2026-03-10 10:00").empty());  // waits
        CHECK(texts(table.planner.on_clock_step(at("2026-03-10 08:55"))).empty());
        CHECK(table.tick("2026-03-10 09:00").empty());  // done, and its run goes on
        CHECK(table.tick("2026-03-10 10:00").empty());  // waits already
        CHECK(texts(table.planner.on_clock_step(at("2026-03-10 10:30"))).empty());
        CHECK(table.finished("j", "2026-03-10 10:40") == Texts{"start j 2026-03-10 10:00"});
        CHECK(table.finished("j", "2026-03-10 10:50").empty());
        CHECK(table.tick("2026-03-10 11:00") == Texts{"start j 2026-03-10 11:00"});
    }
}

TEST_CASE("what waits is not missed when the clock goes back a little and forward again") {
    Table table;
    table.load({job("j", "every 15 minutes", {.catch_up = "all"})}, "2026-03-10 08:50");
    CHECK(table.tick("2026-03-10 09:00") == Texts{"start j 2026-03-10 09:00"});
    CHECK(table.tick("2026-03-10 09:31") == Texts{"missed j 2 until 2026-03-10 09:30"});
    CHECK(texts(table.planner.on_clock_step(at("2026-03-10 08:55"))).empty());
    CHECK(texts(table.planner.on_clock_step(at("2026-03-10 09:40"))).empty());
    CHECK(table.finished("j", "2026-03-10 09:41") == Texts{"start j 2026-03-10 09:15 catch-up"});
    CHECK(table.finished("j", "2026-03-10 09:42") == Texts{"start j 2026-03-10 09:30 catch-up"});
    CHECK(table.finished("j", "2026-03-10 09:43").empty());
}

TEST_CASE("set back by hours and forward again: nothing that was done before is missed") {
    Table table;
    table.load({job("nightly", "daily at 02:00"), job("often", "every 12 hours")}, "2026-03-10 00:30");
    CHECK(table.run_until("2026-03-10 12:30").size() == 2);
    CHECK(table.tick("2026-03-10 12:30").empty());
    CHECK(texts(table.planner.on_clock_step(at("2026-03-10 01:00"))).size() == 3);
    SECTION("by a clock that is set") {
        CHECK(texts(table.planner.on_clock_step(at("2026-03-10 12:31"))) ==
              Texts{"anchor nightly 2026-03-10 02:00: the clock was set forward to where it had been",
                    "anchor often 2026-03-10 12:00: the clock was set forward to where it had been"});
        CHECK(table.next("nightly") == "2026-03-11 02:00");
        // The next step, days later, is another one.
        CHECK(texts(table.planner.on_clock_step(at("2026-03-12 01:00"))) ==
              Texts{"missed often 3 until 2026-03-12 00:00", "start often 2026-03-12 00:00 catch-up",
                    "missed nightly 1 until 2026-03-11 02:00", "start nightly 2026-03-11 02:00 catch-up"});
    }
    SECTION("by time that went by asleep: it may have been the clock before that was wrong") {
        CHECK(table.tick("2026-03-10 12:31") ==
              Texts{"missed nightly 1 until 2026-03-10 02:00", "start nightly 2026-03-10 02:00 catch-up",
                    "missed often 1 until 2026-03-10 12:00", "start often 2026-03-10 12:00 catch-up"});
    }
}

TEST_CASE("jitter and a step back: no slot that started is repeated by a restart right after") {
    const auto often = job("often", "every 15 minutes", {.offset = std::chrono::minutes(4)});
    Table table;
    CHECK(table.load({often}, "2026-03-10 10:19:30", {stored(often, "2026-03-10 11:00")}).empty());
    CHECK(table.next("often") == "2026-03-10 10:30");
    Table before;
    CHECK(before.load({often}, "2026-03-10 10:18:30", {stored(often, "2026-03-10 11:00")}).empty());
    CHECK(before.next("often") == "2026-03-10 10:15");
}

TEST_CASE("set back by more: a warning, and schedules start anew") {
    Table table;
    table.load({job("nightly", "daily at 02:00"), job("often", "every 12 hours")}, "2026-03-10 00:30");
    CHECK(table.run_until("2026-03-10 12:30").size() == 2);
    CHECK(table.tick("2026-03-10 12:30").empty());
    CHECK(texts(table.planner.on_clock_step(at("2026-03-10 01:00"))) ==
          Texts{"warning: the clock was set back by 11 h 30 min: schedules start anew from 2026-03-10T01:00:00Z",
                "anchor nightly 2026-03-10 01:00: the clock was set back",
                "anchor often 2026-03-10 01:00: the clock was set back"});
    // Handed out again; the catalog, which has these slots, refuses them.
    CHECK(table.next("nightly") == "2026-03-10 02:00");
    CHECK(table.next("often") == "2026-03-10 12:00");
    CHECK(texts(table.planner.on_clock_step(at("2026-03-10 01:00:01"))).empty());
}

TEST_CASE("a catalog from the future, by more than three hours, is a clock that was wrong then") {
    const auto nightly = job("nightly", "daily at 02:00");
    const auto weekly = job("weekly", "weekly on sunday at 03:00");
    Table table;
    CHECK(table.load({nightly, weekly}, "2026-03-10 12:00",
                     {stored(nightly, "2031-03-10 02:00"), stored(weekly, "2026-03-08 03:00")}) ==
          Texts{"warning: the clock was set back by 1825 d 14 h: schedules start anew from 2026-03-10T12:00:00Z",
                "anchor nightly 2026-03-10 12:00: the clock was set back"});
    CHECK(table.next("nightly") == "2026-03-11 02:00");
    CHECK(table.next("weekly") == "2026-03-15 03:00");
}

TEST_CASE("the boundary is three hours") {
    for (const auto& [now, warned] :
         {std::pair{"2026-03-10 09:00:00", false}, std::pair{"2026-03-10 08:59:59", true}}) {
        Table table;
        table.load({job("j", "daily at 11:00")}, "2026-03-10 00:00");
        CHECK(table.run_until("2026-03-10 12:00").size() == 1);
        CHECK(table.tick("2026-03-10 12:00").empty());
        CHECK(texts(table.planner.on_clock_step(at(now))).size() == (warned ? 2 : 0));
        CHECK(table.next("j") == (warned ? "2026-03-10 11:00" : "2026-03-11 11:00"));
    }
}

TEST_CASE("what waits when the clock is set back by hours is dropped, and said") {
    Table table;
    table.load({job("j", "hourly", {.overlap = model::Overlap::queue})}, "2026-03-10 08:30");
    CHECK(table.tick("2026-03-10 09:00") == Texts{"start j 2026-03-10 09:00"});
    CHECK(table.tick("2026-03-10 10:00").empty());
    CHECK(texts(table.planner.on_clock_step(at("2026-03-10 02:30"))) ==
          Texts{"warning: the clock was set back by 7 h 30 min: schedules start anew from 2026-03-10T02:30:00Z",
                "skip j 2026-03-10 10:00: the clock was set back while it waited",
                "anchor j 2026-03-10 02:30: the clock was set back"});
    CHECK(table.finished("j", "2026-03-10 02:31").empty());
}

TEST_CASE("a clock before the build date runs nothing, and says so once") {
    Table table("2026-01-01 00:00");
    const auto known = job("known", "daily at 02:00");
    const auto warning =
        "warning: the clock says 1970-01-01T00:05:00Z, which is before this program was built (2026-01-01T00:00:00Z): "
        "nothing runs until it is set";
    CHECK(table.load({known, job("new", "daily at 02:00")}, "1970-01-01 00:05", {stored(known, "2026-03-09 02:00")}) ==
          Texts{warning});
    CHECK(table.planner.next_wake() == at("2026-01-01 00:00"));
    CHECK(table.next("known") == "never");
    CHECK(table.tick("1970-01-02 12:00").empty());

    SECTION("once it is right, what is known is caught up and what is new starts with its next slot") {
        CHECK(texts(table.planner.on_clock_step(at("2026-03-10 12:00"))) ==
              Texts{"anchor new 2026-03-10 12:00: new job", "missed known 1 until 2026-03-10 02:00",
                    "start known 2026-03-10 02:00 catch-up"});
        CHECK(table.planner.next_wake() == at("2026-03-11 02:00"));
    }
    SECTION("going back there again is said again, and is not a step back of the schedules") {
        CHECK(texts(table.planner.on_clock_step(at("2026-03-09 12:00"))) ==
              Texts{"anchor new 2026-03-09 12:00: new job"});
        CHECK(texts(table.planner.on_clock_step(at("1970-01-01 00:05"))) == Texts{warning});
        CHECK(table.tick("2026-03-09 12:01").empty());
        CHECK(table.next("known") == "2026-03-10 02:00");
    }
    SECTION("pausing and resuming work meanwhile, and a resumed job runs nothing at once") {
        CHECK(texts(table.planner.pause("known", at("1970-01-02 13:00"))) ==
              Texts{"anchor known 2026-03-09 02:00: paused"});
        const auto resumed = table.planner.resume("known", at("1970-01-02 13:00"));
        CHECK(texts(resumed) == Texts{"anchor known 2026-03-09 02:00: resumed"});
        CHECK(texts(table.planner.on_clock_step(at("2026-03-10 12:00"))) ==
              Texts{"anchor known 2026-03-10 12:00: resumed", "anchor new 2026-03-10 12:00: new job"});
        // Nor does it after a restart before the clock was right.
        Table restarted;
        CHECK(restarted.load({known}, "2026-03-10 12:00", {std::get<Anchor>(resumed.at(0)).state}) ==
              Texts{"anchor known 2026-03-10 12:00: schedule or time zone edited"});
    }
    SECTION("a run that ends meanwhile starts nothing") {
        table.planner.on_started("known");
        CHECK(table.finished("known", "1970-01-02 13:00").empty());
    }
}

}  // namespace
}  // namespace pgbakd::scheduler::test
