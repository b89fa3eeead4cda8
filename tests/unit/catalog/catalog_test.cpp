#include "catalog/catalog.hpp"

#include <thread>

#include "unit/catalog/support.hpp"

using namespace pgbakd;
using namespace pgbakd::testing;
using base::ErrorCode;
using catalog::JobState;
using model::Outcome;

TEST_CASE("where a job stands survives a restart") {
    Place place;
    const JobState shop{"shop", "daily at 00:00 Asia/Shanghai", slot_at("2026-01-13T16:00:00Z"), false};
    const JobState base{"base", "weekly", slot_at("1969-12-31T23:59:59Z"), true};
    place.catalog->put_job_state(shop);
    place.catalog->put_job_state(base);
    place.reopen();
    CHECK(place.catalog->job_states() == std::vector<JobState>{base, shop});
    auto moved = shop;
    moved.anchor = slot_at("2026-01-01T16:00:00Z");  // backwards too: the caller decides
    place.catalog->put_job_state(moved);
    place.catalog->forget_job("base");
    place.catalog->forget_job("base");
    CHECK(place.catalog->job_states() == std::vector<JobState>{moved});
}

TEST_CASE("a slot is taken once, with its run and the anchor") {
    Place place;
    const JobState state{"shop", "daily", slot_at("2026-01-12T16:00:00Z"), false};
    const auto slot = slot_at("2026-01-13T16:00:00Z");
    auto first = run(1, "shop", at("2026-01-13T16:00:01Z"));
    first.slot = slot;
    CHECK(place.catalog->take_slot(state, slot, first));
    CHECK(place.catalog->job_states().at(0).anchor == slot);
    CHECK(place.catalog->run(first.run)->slot == slot);

    CHECK_FALSE(place.catalog->take_slot(state, slot, run(2, "shop", at("2026-01-13T16:00:02Z"))));
    CHECK_FALSE(place.catalog->run(run_id(2)));
    place.reopen();
    CHECK_FALSE(place.catalog->take_slot(state, slot, run(2, "shop", at("2026-01-13T16:00:02Z"))));
    // Finished runs keep their slot.
    first.outcome = Outcome::failed;
    place.catalog->finish_run(first);
    CHECK_FALSE(place.catalog->take_slot(state, slot, run(2, "shop", at("2026-01-13T16:00:02Z"))));
    // Another job's slot of the same instant is another.
    CHECK(place.catalog->take_slot({"other", "daily", {}, false}, slot, run(3, "other", at("2026-01-13T16:00:01Z"))));

    // An old slot does not move the anchor back.
    const JobState later{"shop", "daily", slot_at("2026-01-14T16:00:00Z"), true};
    CHECK(place.catalog->take_slot(later, slot_at("2026-01-11T16:00:00Z"), run(4, "shop", at("2026-01-13T16:00:01Z"))));
    CHECK(place.catalog->job_states().at(1) == later);
}

TEST_CASE("a slot whose run cannot be recorded is not taken") {
    Place place;
    const JobState state{"shop", "daily", {}, false};
    place.catalog->begin_run(run(1, "shop", today));
    const auto error = error_of(
        [&] { (void)place.catalog->take_slot(state, slot_at("2026-01-13T16:00:00Z"), run(1, "shop", today)); });
    CHECK(error.code() == ErrorCode::conflict);
    CHECK(error.message().find(place.file.native()) == 0);
    CHECK(place.catalog->job_states().empty());
    CHECK(place.catalog->take_slot(state, slot_at("2026-01-13T16:00:00Z"), run(2, "shop", today)));
}

TEST_CASE("a slot that is skipped is settled and told in one step, or not at all") {
    Place place;
    const JobState before{"shop", "daily", slot_at("2026-01-12T16:00:00Z"), false};
    const JobState state{"shop", "daily", slot_at("2026-01-13T16:00:00Z"), false};
    place.catalog->put_job_state(before);
    const auto skipped = run(1, "shop", today, Outcome::skipped);
    const auto slot = slot_at("2026-01-13T16:00:00Z");
    CHECK(place.catalog->skip_slot(state, slot, skipped));
    CHECK(place.catalog->job_states() == std::vector<JobState>{state});
    CHECK(place.catalog->run(skipped.run)->outcome == Outcome::skipped);

    place.catalog->put_job_state(before);
    const auto later = slot_at("2026-01-14T16:00:00Z");
    CHECK(error_of([&] { (void)place.catalog->skip_slot(state, later, skipped); }).code() == ErrorCode::conflict);
    CHECK(place.catalog->job_states() == std::vector<JobState>{before});
    // Settled once: it is neither skipped a second time nor run.
    CHECK_FALSE(place.catalog->skip_slot(state, slot, run(2, "shop", today, Outcome::skipped)));
    CHECK(place.catalog->job_states() == std::vector<JobState>{state});
    CHECK_FALSE(place.catalog->take_slot(state, slot, run(3, "shop", today)));
    CHECK(runs_of(*place.catalog).size() == 1);
}

TEST_CASE("runs come newest first, filtered and in pages") {
    Place place;
    for (unsigned i = 0; i < 10; ++i)
        place.catalog->finish_run(run(i, i % 2 == 0 ? "a" : "b", today + std::chrono::seconds(i),
                                      i < 5 ? Outcome::success : Outcome::failed));
    CHECK(runs_of(*place.catalog).size() == 10);
    CHECK(runs_of(*place.catalog).front() == run_id(9).text());
    CHECK(runs_of(*place.catalog, {.job = "a", .outcome = {}, .limit = 2}) ==
          std::vector{run_id(8).text(), run_id(6).text()});
    CHECK(runs_of(*place.catalog, {.job = "a", .outcome = {}, .limit = 2, .offset = 4}) ==
          std::vector{run_id(0).text()});
    CHECK(runs_of(*place.catalog, {.job = "b", .outcome = Outcome::success}) ==
          std::vector{run_id(3).text(), run_id(1).text()});
    CHECK(runs_of(*place.catalog, {.job = {}, .outcome = {}, .limit = 0, .offset = -1}).size() == 1);
    CHECK(
        runs_of(*place.catalog, {.job = {}, .outcome = {}, .limit = 1, .not_after = today + std::chrono::seconds(4)}) ==
        std::vector{run_id(4).text()});
    CHECK(runs_of(*place.catalog, {.job = "b", .outcome = {}, .not_after = today}).empty());
    CHECK(place.catalog->count_runs({}) == 10);
    CHECK(place.catalog->count_runs({.job = "a", .outcome = Outcome::failed, .limit = 1}) == 2);
    CHECK(place.catalog->count_runs({.job = "a' OR 1=1 --", .outcome = {}}) == 0);
    CHECK_FALSE(place.catalog->run(run_id(99)));
}

TEST_CASE("a run is recorded as it begins and as it ends") {
    Place place;
    auto report = run(1, "shop", today);
    place.catalog->begin_run(report);
    CHECK(place.catalog->run(report.run)->outcome == Outcome::running);
    CHECK(error_of([&] { place.catalog->begin_run(report); }).code() == ErrorCode::conflict);

    report.outcome = Outcome::failed;
    report.finished_at = today + std::chrono::milliseconds(1234);
    report.error = {.code = "no_space",
                    .message =
                        "gr\xc3\xb6\xc3\x9f"
                        "e \"quoted\"",
                    .hint = "x"};
    place.catalog->finish_run(report);
    const auto read = place.catalog->run(report.run);
    CHECK(model::to_report(*read) == model::to_report(report));
}

TEST_CASE("runs that a crash left are marked as interrupted, once") {
    Place place;
    place.catalog->begin_run(run(1, "a", today));
    place.catalog->begin_run(run(2, "b", today + std::chrono::hours(1)));  // the clock was set back since
    place.catalog->finish_run(run(3, "c", today, Outcome::success));
    place.reopen();
    const auto interrupted = place.catalog->interrupt_running(today + std::chrono::seconds(60));
    REQUIRE(interrupted.size() == 2);
    CHECK(interrupted.at(0).outcome == Outcome::interrupted);
    CHECK(interrupted.at(0).finished_at == today + std::chrono::seconds(60));
    CHECK(interrupted.at(0).error);
    CHECK(interrupted.at(1).finished_at == interrupted.at(1).started_at);
    CHECK(place.catalog->run(run_id(1))->outcome == Outcome::interrupted);
    CHECK(place.catalog->interrupt_running(today).empty());
    CHECK(place.catalog->count_runs({.job = {}, .outcome = Outcome::success}) == 1);
}

TEST_CASE("the last success of each job, a warning among them") {
    Place place;
    place.catalog->finish_run(run(1, "a", today, Outcome::success));
    place.catalog->finish_run(run(2, "a", today + std::chrono::hours(1), Outcome::warning));
    place.catalog->finish_run(run(3, "a", today + std::chrono::hours(2), Outcome::failed));
    place.catalog->finish_run(run(4, "b", today, Outcome::skipped));
    place.catalog->begin_run(run(5, "c", today));
    const auto end = [](int hours) { return today + std::chrono::hours(hours) + std::chrono::seconds(10); };
    using Ends = std::map<std::string, base::Timestamp>;
    CHECK(place.catalog->last_success(end(1)) == Ends{{"a", end(1)}});
    // What a clock ahead has dated counts where there is nothing else.
    place.catalog->finish_run(run(6, "a", today + std::chrono::hours(7000), Outcome::success));
    place.catalog->finish_run(run(7, "d", today + std::chrono::hours(7000), Outcome::success));
    CHECK(place.catalog->last_success(end(1)) == Ends{{"a", end(1)}, {"d", end(7000)}});
    CHECK(place.catalog->last_success(end(7000)) == Ends{{"a", end(7000)}, {"d", end(7000)}});
}

TEST_CASE("old runs expire, a job's newest success never") {
    Place place;
    const auto day = std::chrono::hours(24);
    place.catalog->finish_run(run(1, "a", today - 40 * day, Outcome::success));
    place.catalog->finish_run(run(2, "a", today - 39 * day, Outcome::warning));
    place.catalog->finish_run(run(3, "a", today - 38 * day, Outcome::failed));
    place.catalog->finish_run(run(4, "b", today - 50 * day, Outcome::success));
    place.catalog->begin_run(run(5, "b", today - 45 * day));
    place.catalog->finish_run(run(6, "b", today - 1 * day, Outcome::failed));
    REQUIRE(place.catalog->take_slot({"a", "daily", {}, false}, slot_at("2025-01-01T00:00:00Z"),
                                     run(7, "a", today - 60 * day)));
    place.catalog->finish_run(run(7, "a", today - 60 * day, Outcome::failed));

    CHECK(place.catalog->expire_runs(today, 30 * day, 1) == 1);
    CHECK_FALSE(place.catalog->run(run_id(7)));  // the oldest first
    CHECK(place.catalog->expire_runs(today, 30 * day, 100) == 2);
    CHECK(place.catalog->expire_runs(today, 30 * day, 100) == 0);
    for (const unsigned stays : {2U, 4U, 5U, 6U}) CHECK(place.catalog->run(run_id(stays)));
    CHECK(place.catalog->count_runs({}) == 4);
}

TEST_CASE("a success that a clock ahead has dated lets no other expire") {
    Place place;
    const auto day = std::chrono::hours(24);
    place.catalog->finish_run(run(1, "a", today - 50 * day, Outcome::success));
    place.catalog->finish_run(run(2, "a", today - 40 * day, Outcome::success));
    place.catalog->finish_run(run(3, "a", today + 700 * day, Outcome::success));
    place.catalog->finish_run(run(4, "a", today - 1 * day, Outcome::failed));
    const auto newest = place.catalog->last_success(today);
    CHECK(place.catalog->expire_runs(today, 30 * day, 100) == 1);
    CHECK_FALSE(place.catalog->run(run_id(1)));
    CHECK(place.catalog->last_success(today) == newest);
    // A daemon that starts with a clock ahead drops nothing that is not older than its newest run by so much.
    CHECK(place.catalog->expire_runs(today + 300 * day, 40 * day, 100) == 0);
    // Once it is that late, it is the newest.
    CHECK(place.catalog->expire_runs(today + 701 * day, 30 * day, 100) == 2);
    CHECK(place.catalog->run(run_id(3)));
}

TEST_CASE("the databases a job knew") {
    Place place;
    CHECK_FALSE(place.catalog->known_databases("a"));
    for (const auto& names : std::vector<std::vector<std::string>>{{"shop",
                                                                    "gr\xf6\xdf"
                                                                    "e",
                                                                    "a b", "\"'"},
                                                                   {},
                                                                   {""},
                                                                   {"one"}}) {
        place.catalog->put_known_databases("a", names);
        place.reopen();
        CHECK(place.catalog->known_databases("a") == names);
    }
}

TEST_CASE("what later checks found of a set") {
    Place place;
    catalog::SetState state;
    state.id = {"a", "20260113_000001"};
    state.verified = model::Verification::proven;
    state.verified_at = today;
    place.catalog->put_set_state(state);
    state.corrupt = true;
    state.message = "has changed since it was written";
    place.catalog->put_set_state(state);
    place.reopen();
    const auto states = place.catalog->set_states();
    REQUIRE(states.size() == 1);
    CHECK(states.at(0).id == state.id);
    CHECK(states.at(0).verified == model::Verification::proven);
    CHECK(states.at(0).verified_at == today);
    CHECK(states.at(0).corrupt);
    CHECK(states.at(0).message == state.message);
    place.catalog->forget_set(state.id);
    CHECK(place.catalog->set_states().empty());
}

TEST_CASE("history is rebuilt from manifests, without changing what is known") {
    Place place;
    model::BackupSet known;
    known.id = {"a", "20260113_000001"};
    known.run = run_id(1);
    known.started_at = today;
    auto lost = known;
    lost.id.set = "20260112_000001";
    lost.run = run_id(2);
    lost.trigger = "schedule";
    lost.finished_at = today + std::chrono::seconds(5);
    lost.artifacts.resize(1);
    lost.artifacts.at(0).file = "shop_20260112_000001.dump";
    lost.artifacts.at(0).bytes = 42;
    auto partial = known;
    partial.id.set = "20260111_000001";
    partial.run = run_id(3);
    partial.complete = false;
    partial.missing = {{"gone", "it does not exist"}};
    model::BackupSet unreadable;
    unreadable.id = {"a", "20260110_000001"};
    place.catalog->finish_run(run(1, "a", today, Outcome::warning));
    place.catalog->put_set_state({.id = known.id, .verified = {}, .verified_at = {}, .corrupt = true, .message = "x"});
    place.catalog->put_set_state(
        {.id = {"a", "20200101_000000"}, .verified = {}, .verified_at = {}, .corrupt = true, .message = "x"});

    const auto result = place.catalog->rescan({known, lost, partial, unreadable});
    CHECK(result.sets == 4);
    CHECK(result.runs_added == 2);
    CHECK(result.dropped == std::vector<model::SetId>{{"a", "20200101_000000"}});
    CHECK(place.catalog->run(run_id(1))->outcome == Outcome::warning);
    const auto rebuilt = place.catalog->run(run_id(2)).value();
    CHECK(rebuilt.outcome == Outcome::success);
    CHECK(rebuilt.trigger == model::Trigger::schedule);
    CHECK(rebuilt.set == "a/20260112_000001");
    CHECK(rebuilt.size_bytes == 42);
    CHECK(rebuilt.finished_at == lost.finished_at);
    CHECK(place.catalog->run(run_id(3))->outcome == Outcome::failed);
    CHECK(place.catalog->set_states().size() == 1);
    CHECK(place.catalog->rescan({known, lost, partial}).runs_added == 0);
}

TEST_CASE("several threads share one") {
    Place place;
    const JobState state{"shop", "every minute", {}, false};
    std::atomic<int> taken = 0;
    std::vector<std::thread> threads;
    for (unsigned t = 0; t < 4; ++t)
        threads.emplace_back([&, t] {
            for (unsigned i = 0; i < 10; ++i) {
                const base::Instant slot(std::chrono::seconds(60 * i));
                if (place.catalog->take_slot(state, slot, run(t * 100 + i, "shop", today))) ++taken;
                (void)place.catalog->runs({});
            }
        });
    for (auto& thread : threads) thread.join();
    CHECK(taken == 10);
    CHECK(place.catalog->count_runs({}) == 10);
}
