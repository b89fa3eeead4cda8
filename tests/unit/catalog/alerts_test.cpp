// The outbox, what is to be remembered of channels, and which runs were told of.
#include "unit/catalog/support.hpp"

using namespace pgbakd;
using namespace pgbakd::testing;
using namespace std::chrono_literals;
using model::Outcome;
using model::Severity;

TEST_CASE("alerts wait for their channel, in the order in which they came, until they are delivered or given up") {
    Place place;
    // The clock was set back in between, which changes nothing.
    // What they tell may be of days ago: how long they wait counts from now.
    place.catalog->queue_alerts({{"mail", alert("1", today - 200h)}, {"ops", alert("1")}}, today);
    place.catalog->queue_alerts({{"ops", alert("2")}}, today - 1h);
    place.catalog->queue_alerts({}, today);
    // Queued again, as after a restart in between, it waits once.
    place.catalog->queue_alerts({{"ops", alert("1")}}, today + 5h);
    place.reopen();
    auto& catalog = *place.catalog;
    CHECK(texts(catalog.waiting_alerts({}, 10)) == Texts{"mail 1", "ops 1", "ops 2"});
    CHECK(texts(catalog.waiting_alerts("ops", 10)) == Texts{"ops 1", "ops 2"});
    CHECK(texts(catalog.waiting_alerts("ops", 1)) == Texts{"ops 1"});
    const auto first = catalog.waiting_alerts("ops", 1).front();
    CHECK(first.alert == alert("1"));
    CHECK(first.created_at == today);
    CHECK(first.attempts == 0);
    CHECK(first.next_attempt == today);

    catalog.alerts_failed("ops", today + 10min, "503");
    catalog.queue_alerts({{"ops", alert("3")}}, today + 15min);
    catalog.alerts_failed("ops", today + 20min, "504");
    // A failure is the channel's: it counts for all that wait.
    const auto failed = catalog.waiting_alerts("ops", 10);
    REQUIRE(failed.size() == 3);
    for (const auto& each : failed) {
        CHECK(each.attempts == (each.alert.id == "3" ? 1 : 2));
        CHECK(each.next_attempt == today + 20min);
        CHECK(each.message == "504");
    }
    CHECK(catalog.waiting_alerts("mail", 1).front().attempts == 0);
    CHECK(catalog.alert_backlog() == std::vector<catalog::Backlog>{{"mail", 1, today, today, 0, ""},
                                                                   {"ops", 3, today - 1h, today + 20min, 2, "504"}});
    catalog.hasten_alerts("ops", today + 5min);
    CHECK(catalog.waiting_alerts("ops", 1).front().next_attempt == today + 5min);
    catalog.hasten_alerts("ops", today + 7min);
    CHECK(catalog.waiting_alerts("ops", 1).front().next_attempt == today + 5min);

    catalog.alerts_delivered("ops", {"1", "none"});
    CHECK(texts(catalog.waiting_alerts({}, 10)) == Texts{"mail 1", "ops 2", "ops 3"});
    // The channel works, so nothing that waits has failed.
    CHECK(catalog.waiting_alerts("ops", 1).front().attempts == 0);
    CHECK(catalog.alert_backlog().back().message.empty());
    catalog.alerts_superseded("ops", {"2"});
    CHECK(texts(catalog.waiting_alerts("ops", 10)) == Texts{"ops 3"});
    CHECK(catalog.keep_channels({"mail", "ops", "new"}).empty());
    CHECK(catalog.keep_channels({"mail"}) == std::map<std::string, std::size_t>{{"ops", 1}});
    CHECK(catalog.alert_backlog().size() == 1);
}

TEST_CASE("an alert that cannot be read does not hold up the others") {
    const Place place;
    place.catalog->queue_alerts({{"ops", alert("1")}, {"ops", alert("2")}}, today);
    execute(place.file, "UPDATE alerts SET alert = '{}' WHERE id = '1'");
    const auto waiting = place.catalog->waiting_alerts("ops", 10);
    CHECK(texts(waiting) == Texts{"ops 1", "ops 2"});
    CHECK(waiting[0].alert.title == "an alert was lost");
    CHECK(waiting[1].alert == alert("2"));
}

TEST_CASE("what a channel has asked for and what it has not taken outlive a restart") {
    Place place;
    using States = std::vector<catalog::ChannelState>;
    CHECK(place.catalog->channel_states().empty());
    place.catalog->queue_alerts({{"ops", alert("1")}, {"ops", alert("2")}, {"mail", alert("1")}}, today);
    place.catalog->alerts_lost("ops", {"1"}, today + 1min, "status 400");
    place.catalog->put_channel_pause("ops", today, today + 1h);
    place.catalog->put_channel_pause("mail", today, today + 2h);
    place.reopen();
    auto& catalog = *place.catalog;
    CHECK(texts(catalog.waiting_alerts("ops", 10)) == Texts{"ops 2"});
    const catalog::ChannelState mail{"mail", today, today + 2h, {}, ""};
    CHECK(catalog.channel_states() == States{mail, {"ops", today, today + 1h, today + 1min, "status 400"}});
    // What is only said otherwise does not show that the channel takes anything; a reload does not either.
    catalog.alerts_superseded("ops", {"none"});
    catalog.hasten_alerts("ops", today);
    catalog.alerts_lost("ops", {}, today + 2min, "status 413");
    const catalog::ChannelState ops{"ops", today, today + 1h, today + 2min, "status 413"};
    CHECK(catalog.channel_states().back() == ops);
    catalog.alerts_delivered("mail", {"1"});
    catalog.alerts_delivered("ops", {"2"});
    CHECK(catalog.channel_states() == States{mail, {"ops", today, today + 1h, {}, ""}});
    CHECK(catalog.keep_channels({"mail"}).empty());
    CHECK(catalog.channel_states() == States{mail});
}

TEST_CASE("a run that ended is untold until what became of it is on its way") {
    Place place;
    const auto untold = [&place](base::Timestamp since = today - 1h, std::size_t limit = 10) {
        Texts jobs;
        for (const auto& each : place.catalog->untold_runs(since, limit)) jobs.push_back(each.job);
        return jobs;
    };
    place.catalog->begin_run(run(1, "running", today));
    place.catalog->begin_run(run(2, "failed", today));
    place.catalog->finish_run(run(2, "failed", today + 2s, Outcome::failed));
    place.catalog->begin_run(run(3, "good", today));
    place.catalog->finish_run(run(3, "good", today + 1s, Outcome::success));
    place.catalog->begin_run(run(4, "late", today + 5s, Outcome::warning));
    place.catalog->begin_run(run(5, "cancelled", today, Outcome::cancelled));
    place.catalog->begin_run(run(6, "skipped", today, Outcome::skipped));
    place.catalog->begin_run(run(7, "old", today - 2h, Outcome::success));
    place.reopen();
    CHECK(untold() == Texts{"good", "failed", "late"});
    CHECK(untold(today - 1h, 2) == Texts{"failed", "late"});
    CHECK(untold(today - 3h) == Texts{"old", "good", "failed", "late"});
    CHECK_FALSE(place.catalog->is_told(run_id(3)));
    CHECK_FALSE(place.catalog->is_told(run_id(99)));

    place.catalog->apply_findings({}, {{"ops", alert("1")}}, today, run_id(3));
    CHECK(place.catalog->is_told(run_id(3)));
    // One whose end is recorded later than told, as on a full disk, stays told.
    place.catalog->apply_findings({}, {}, today, run_id(1));
    place.catalog->finish_run(run(1, "running", today, Outcome::success));
    CHECK(untold() == Texts{"failed", "late"});
    // What a kill left is told like all others.
    place.catalog->begin_run(run(8, "interrupted", today + 1min));
    CHECK(place.catalog->interrupt_running(today + 2min).size() == 1);
    CHECK(untold() == Texts{"failed", "late", "interrupted"});
}

TEST_CASE("that a run was told of is recorded with its alerts, or not at all") {
    const Place place;
    place.catalog->begin_run(run(1, "shop", today, Outcome::success));
    execute(place.file, "CREATE TRIGGER full BEFORE INSERT ON alerts BEGIN SELECT RAISE(ABORT, 'full'); END");
    CHECK_THROWS_AS(place.catalog->apply_findings({}, {{"ops", alert("1")}}, today, run_id(1)), base::Error);
    CHECK(place.catalog->untold_runs(today, 10).size() == 1);
}

TEST_CASE("runs that are learned of from sets are no news") {
    const Place place;
    model::BackupSet set;
    set.id = {"shop", "20260113_000001"};
    set.run = run_id(1);
    set.complete = true;
    set.started_at = set.finished_at = today;
    CHECK(place.catalog->add_runs({set}) == 1);
    CHECK(place.catalog->untold_runs(today - 1h, 10).empty());
}
