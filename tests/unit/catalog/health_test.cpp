// Findings, alerts on their way, and what health asks of the history.
#include "catalog/schema.hpp"
#include "unit/catalog/support.hpp"

using namespace pgbakd;
using namespace pgbakd::testing;
using namespace std::chrono_literals;
using base::ErrorCode;
using catalog::Catalog;
using model::FindingKind;
using model::Outcome;
using model::Severity;

namespace {

model::Finding finding(FindingKind kind, const std::string& job, const std::string& place = {}) {
    model::Finding result;
    result.key = {kind, job, place};
    result.opened_at = today;
    result.message = "it is wrong";
    return result;
}

Texts texts(const std::vector<model::Finding>& findings) {
    Texts result;
    for (const auto& each : findings)
        result.push_back(std::string(model::finding_text(each.key.kind)) + " " + each.key.job + " " + each.key.place);
    return result;
}
model::RunReport sized(unsigned number, base::Timestamp started_at, Outcome outcome, std::uint64_t bytes) {
    auto report = run(number, "shop", started_at, outcome);
    report.size_bytes = bytes;
    return report;
}

}  // namespace

TEST_CASE("a finding comes back as it was put, also after a restart") {
    Place place;
    auto put = finding(FindingKind::too_old, "shop", "r2");
    put.severity = Severity::critical;
    put.set = "shop/20260113_000001";
    put.message = "the newest good set is 3 d old; \"ü\"";
    put.hint = "pgbakctl runs shop";
    put.told_at = today + 1ms;
    put.told_severity = Severity::critical;
    place.catalog->apply_findings({put}, {}, today);
    place.reopen();
    CHECK(place.catalog->open_findings() == std::vector{put});
    // One key is open once: put again, it is replaced.
    put.severity = Severity::warning;
    put.told_at = {};
    place.catalog->apply_findings(
        {put, finding(FindingKind::too_old, "shop", "nas"), finding(FindingKind::corrupt, "crm")}, {}, today);
    CHECK(texts(place.catalog->open_findings()) == Texts{"corrupt crm ", "too_old shop nas", "too_old shop r2"});
    CHECK(place.catalog->open_findings().back() == put);
    CHECK(Catalog::open_for_reading(place.file)->open_findings().size() == 3);
    CHECK(texts(place.catalog->open_findings("shop")) == Texts{"too_old shop nas", "too_old shop r2"});
}

TEST_CASE("a finding that closes is kept, and its like opens anew") {
    const Place place;
    auto& catalog = *place.catalog;
    auto closed = finding(FindingKind::disk_usage, "", "/srv");
    catalog.apply_findings({closed}, {}, today);
    closed.closed_at = today + 1h;
    catalog.apply_findings({closed}, {}, today);
    CHECK(catalog.open_findings().empty());
    CHECK(catalog.closed_findings(10) == std::vector{closed});
    // Closed twice, it stays closed as it was.
    auto again = closed;
    again.closed_at = today + 2h;
    catalog.apply_findings({again}, {}, today);
    CHECK(catalog.closed_findings(10) == std::vector{closed});
    auto second = finding(FindingKind::disk_usage, "", "/srv");
    second.opened_at = today + 3h;
    catalog.apply_findings({second}, {}, today);
    CHECK(catalog.open_findings() == std::vector{second});
    second.closed_at = today + 4h;
    catalog.apply_findings({second}, {}, today);
    CHECK(catalog.closed_findings(10) == std::vector{second, closed});
    CHECK(catalog.closed_findings(1) == std::vector{second});

    catalog.apply_findings({finding(FindingKind::corrupt, "shop")}, {}, today);
    CHECK(catalog.expire_findings(today + 4h, 0) == 0);
    CHECK(catalog.expire_findings(today + 4h, 10) == 1);
    CHECK(catalog.expire_findings(today + 1000h, 10) == 1);
    CHECK(texts(catalog.open_findings()) == Texts{"corrupt shop "});
}

TEST_CASE("a finding counts as told exactly when its alert is on its way") {
    const Place place;
    execute(
        place.file,
        "CREATE TRIGGER full BEFORE INSERT ON alerts WHEN NEW.channel = 'b' BEGIN SELECT RAISE(ABORT, 'full'); END");
    auto told = finding(FindingKind::too_old, "shop");
    told.told_at = today;
    CHECK_THROWS_AS(place.catalog->apply_findings({told}, {{"a", alert("1")}, {"b", alert("1")}}, today), base::Error);
    CHECK(place.catalog->open_findings().empty());
    CHECK(place.catalog->waiting_alerts({}, 10).empty());
    auto old = alert("1");
    old.at = today - 200h;
    place.catalog->apply_findings({told}, {{"a", old}}, today);
    CHECK(place.catalog->open_findings().size() == 1);
    const auto waiting = place.catalog->waiting_alerts({}, 10);
    CHECK(texts(waiting) == Texts{"a 1"});
    CHECK(waiting.front().created_at == today);
    CHECK(waiting.front().next_attempt == today);
}

using Known = std::map<std::pair<std::string, std::string>, base::Timestamp>;

TEST_CASE("a place is known since it came, or since the schedule of its job was edited") {
    Place place;
    CHECK(place.catalog->know_places({{"a", "local", "daily"}, {"b", "local", "hourly"}}, today) ==
          Known{{{"a", "local"}, today}, {{"b", "local"}, today}});
    place.reopen();
    const auto later = today + 1h;
    CHECK(
        place.catalog->know_places({{"a", "local", "daily"}, {"a", "r2", "daily"}, {"b", "local", "weekly"}}, later) ==
        Known{{{"a", "local"}, today}, {{"a", "r2"}, later}, {{"b", "local"}, later}});
    CHECK(place.catalog->known_since("a") == std::map<std::string, base::Timestamp>{{"local", today}, {"r2", later}});
    CHECK(place.catalog->known_since("none").empty());
    // A clock that was ahead when it came does not keep it new.
    CHECK(place.catalog->know_places({{"a", "local", "daily"}}, today - 9h).at({"a", "local"}) == today - 9h);
    CHECK(place.catalog->know_places({{"a", "local", "daily"}}, later).at({"a", "local"}) == today - 9h);
    // Who was away is new when it comes back.
    CHECK(place.catalog->know_places({}, later).empty());
    CHECK(place.catalog->know_places({{"a", "local", "daily"}}, later + 1h) == Known{{{"a", "local"}, later + 1h}});
}

TEST_CASE("the last verdict on a job is its last run that ended of itself") {
    const Place place;
    auto& catalog = *place.catalog;
    CHECK_FALSE(catalog.last_verdict("shop", today + 24h * 400));
    const std::vector<std::pair<Outcome, std::optional<unsigned>>> rows{
        {Outcome::skipped, std::nullopt},
        {Outcome::success, 1},
        {Outcome::cancelled, 1},
        {Outcome::failed, 3},
        {Outcome::running, 3},
        {Outcome::warning, 5},
        {Outcome::skipped, 5},
        {Outcome::interrupted, 7},
    };
    unsigned number = 0;
    for (const auto& [outcome, expected] : rows) {
        catalog.begin_run(run(number, "shop", today + number * 1h, outcome));
        ++number;
        const auto verdict = catalog.last_verdict("shop", today + 24h * 400);
        REQUIRE(verdict.has_value() == expected.has_value());
        if (verdict) CHECK(verdict->run == run_id(*expected));
    }
    CHECK_FALSE(catalog.last_verdict("crm", today + 24h * 400));
    // What a clock ahead has dated counts only where there is nothing else.
    CHECK(catalog.last_verdict("shop", today + 4h)->run == run_id(3));
    CHECK(catalog.last_verdict("shop", today - 1h)->run == run_id(7));
    CHECK(catalog.success_before(*catalog.run(run_id(5)))->run == run_id(1));
    CHECK(catalog.success_before(*catalog.run(run_id(7)))->run == run_id(5));
    CHECK_FALSE(catalog.success_before(*catalog.run(run_id(1))));
}

TEST_CASE("sizes of successes, the newest first") {
    const Place place;
    auto& catalog = *place.catalog;
    catalog.begin_run(sized(1, today, Outcome::success, 100));
    catalog.begin_run(sized(2, today + 1h, Outcome::failed, 7));
    catalog.begin_run(sized(3, today + 2h, Outcome::running, 0));
    catalog.begin_run(sized(4, today + 3h, Outcome::success, std::uint64_t{1} << 50U));
    catalog.finish_run(sized(3, today + 2h, Outcome::warning, 300));
    using Sizes = std::vector<std::uint64_t>;
    const auto now = today + 4h;
    CHECK(catalog.sizes_of_last_successes("shop", 8, now) == Sizes{std::uint64_t{1} << 50U, 300, 100});
    CHECK(catalog.sizes_of_last_successes("shop", 2, now) == Sizes{std::uint64_t{1} << 50U, 300});
    CHECK(catalog.sizes_of_last_successes("crm", 8, now).empty());
    // What a clock ahead has dated comes last.
    CHECK(catalog.sizes_of_last_successes("shop", 8, today + 150min) == Sizes{300, 100, std::uint64_t{1} << 50U});
    CHECK(catalog.sizes_of_last_successes("shop", 2, today + 150min) == Sizes{300, 100});
    CHECK(catalog.sizes_of_last_successes("shop", 2, today - 1h) == Sizes{std::uint64_t{1} << 50U, 300});
}

TEST_CASE("a catalog from before there were findings is brought up to date and keeps what it holds") {
    Place place;
    place.catalog->begin_run(sized(1, today, Outcome::success, 100));
    place.catalog->begin_run(sized(2, today + 1h, Outcome::warning, 200));
    place.catalog->begin_run(sized(3, today + 2h, Outcome::failed, 300));
    place.catalog->begin_run(sized(4, today + 3h, Outcome::success, 400));
    place.catalog->begin_run(sized(5, today + 4h, Outcome::success, 500));
    place.catalog->begin_run(run(6, "crm", today + 5h));
    place.catalog->put_set_state({{"shop", "20260113_000001"}, model::Verification::decoded, today, true, "a bit"});
    catalog::Copy copy;
    copy.target = "r2";
    copy.id = {"shop", "20260113_000001"};
    copy.owed = true;
    copy.started_at = today - 1h;
    place.catalog->put_copy(copy);
    place.catalog.reset();
    execute(place.file, as_schema_3);
    // What cannot be read is no reason to start without any history.
    execute(place.file, "UPDATE runs SET report = '{\"size' WHERE id = '" + run_id(4).text() +
                            "'; UPDATE runs SET report = '{\"size_bytes\": \"x\"}' WHERE id = '" + run_id(5).text() +
                            "'");
    CHECK(error_of([&] { (void)Catalog::open_for_reading(place.file); }).code() == ErrorCode::unsupported);

    place.reopen();
    CHECK_FALSE(place.catalog->was_damaged());
    CHECK(place.catalog->count_runs({}) == 6);
    // What ended before this was noted is no news; what was going on is.
    CHECK(place.catalog->untold_runs(today - 100h, 10).empty());
    CHECK(place.catalog->interrupt_running(today + 6h).size() == 1);
    CHECK(place.catalog->untold_runs(today - 100h, 10).size() == 1);
    CHECK(place.catalog->channel_states().empty());
    CHECK(place.catalog->sizes_of_last_successes("shop", 8, today + 6h) == std::vector<std::uint64_t>{0, 0, 200, 100});
    CHECK(place.catalog->set_states().size() == 1);
    CHECK(place.catalog->owed_copies().size() == 1);
    CHECK(place.catalog->open_findings().empty());
    CHECK(place.catalog->waiting_alerts({}, 10).empty());
    // It has been known since its first run, under whatever schedule it has.
    CHECK(place.catalog->know_places({{"shop", "local", "daily"}, {"shop", "r2", "daily"}, {"new", "local", "daily"}},
                                     today + 100h) ==
          Known{{{"new", "local"}, today + 100h}, {{"shop", "local"}, today}, {{"shop", "r2"}, today - 1h}});
    CHECK(place.catalog->know_places({{"shop", "local", "hourly"}}, today + 101h) ==
          Known{{{"shop", "local"}, today + 101h}});
}

TEST_CASE("sets found corrupt are told from those that were only read again") {
    const Place place;
    place.catalog->put_set_state({{"shop", "20260113_000001"}, model::Verification::decoded, today, false, ""});
    place.catalog->put_set_state({{"shop", "20260114_000001"}, model::Verification::none, today, true, "a bit"});
    place.catalog->put_set_state({{"crm", "20260114_000001"}, model::Verification::none, today, true, "a bit"});
    CHECK(place.catalog->set_states().size() == 3);
    CHECK(place.catalog->corrupt_sets().size() == 2);
    REQUIRE(place.catalog->corrupt_sets("shop").size() == 1);
    CHECK(place.catalog->corrupt_sets("shop").front().id.set == "20260114_000001");
    CHECK(place.catalog->corrupt_sets("shop").front().message == "a bit");
    CHECK(place.catalog->corrupt_sets("none").empty());
}

TEST_CASE("whom jobs tell is known when they are gone, for a while") {
    Place place;
    using Channels = Catalog::ChannelsOfJobs;
    const Channels jobs{{"shop", Texts{"ops", "night"}}, {"quiet", Texts{}}, {"crm", std::nullopt}};
    CHECK(place.catalog->know_channels(jobs, today, today - 1h).empty());
    place.reopen();
    CHECK(place.catalog->know_channels({{"crm", std::nullopt}}, today + 1h, today) ==
          Channels{{"quiet", Texts{}}, {"shop", Texts{"ops", "night"}}});
    // One that tells every channel now has told nobody in particular when it goes.
    CHECK(place.catalog->know_channels({{"shop", std::nullopt}}, today + 2h, today) == Channels{{"quiet", Texts{}}});
    CHECK(place.catalog->know_channels({}, today + 3h, today) == Channels{{"quiet", Texts{}}});
    CHECK(place.catalog->know_channels({}, today + 4h, today + 1h).empty());
}
