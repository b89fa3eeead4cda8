// What is asked of a catalog, a repository and a disk that are there.
#include "health/collect.hpp"

#include <filesystem>
#include <fstream>

#include "health/reconcile.hpp"
#include "health/reread.hpp"
#include "support/deep_directory.hpp"
#include "support/nouns.hpp"
#include "unit/health/support.hpp"
#include "unit/repository/support.hpp"

namespace pgbakd::health {

using namespace testing;
using pgbakd::testing::add_set;
using pgbakd::testing::at;
using pgbakd::testing::today;
using Result = Reread::Result;

namespace {

model::JobSpec spec(const std::string& name, const std::string& schedule, std::vector<std::string> targets = {}) {
    auto job = pgbakd::testing::job_spec(name, std::move(targets));
    job.schedule = calendar::Schedule::parse(schedule).value();
    job.max_age = 26h;
    return job;
}

model::RunReport run(unsigned number, const std::string& job, std::string_view started_at, model::Outcome outcome) {
    std::array<std::byte, 10> random{};
    random[0] = static_cast<std::byte>(number);
    model::RunReport report;
    report.run = base::RunId::make(at(started_at), random);
    report.job = job;
    report.outcome = outcome;
    report.started_at = at(started_at);
    report.finished_at = at(started_at) + 2h;
    report.size_bytes = number;
    if (outcome == model::Outcome::failed) report.error = model::ErrorReport{"no_space", "no space", "make room"};
    return report;
}

catalog::Copy copy(const std::string& target, const model::SetId& id, std::string_view started_at) {
    catalog::Copy result;
    result.target = target;
    result.id = id;
    result.started_at = at(started_at);
    result.since = result.started_at + 1h;
    result.verified = model::Verification::decoded;
    return result;
}

// A host with a job "shop" that has local sets and copies on r2.
struct World {
    pgbakd::testing::Place place;
    std::unique_ptr<catalog::Catalog> catalog = catalog::Catalog::open(place.directory / "state.db", today);
    config::Config config;
    std::set<std::string> running;

    World() {
        config.repository.directory = place.repository.directory();
        config.reports_directory = place.directory.path();
        config.zone = calendar::Zone::utc();
        add(spec("shop", "daily at 02:00", {"r2"}));
    }
    void add(model::JobSpec job) { config.jobs.push_back(std::make_shared<const model::JobSpec>(std::move(job))); }
    Inputs look(base::Timestamp when = today, const std::optional<std::string>& job = std::nullopt) {
        return collect({config, place.repository, *catalog, running, {}}, when, job);
    }
};

}  // namespace

TEST_CASE("the newest good set of each place is found, with the time its run ended") {
    World world;
    const auto older = add_set(world.place.repository, "shop", "2026-01-30T02:00:00Z");
    const auto newest = add_set(world.place.repository, "shop", "2026-01-31T02:00:00Z");
    const auto partly = add_set(world.place.repository, "shop", "2026-01-31T14:00:00Z", false);
    auto sent = copy("r2", older, "2026-01-30T02:00:00Z");
    const auto report = run(1, "shop", "2026-01-30T02:00:00Z", model::Outcome::success);
    world.catalog->begin_run(report);
    sent.run = report.run;
    auto owed = copy("r2", newest, "2026-01-31T02:00:00Z");
    owed.owed = true;
    auto strange = copy("r2", {"shop", "20260131_200000"}, "2026-01-31T20:00:00Z");
    strange.host = "db2";
    world.catalog->put_copies({sent, owed, strange, copy("nas", newest, "2026-01-31T02:00:00Z")});

    auto inputs = world.look();
    REQUIRE(inputs.jobs.size() == 1);
    REQUIRE(inputs.jobs[0].places.size() == 2);
    const auto& local = inputs.jobs[0].places[0];
    CHECK(local.name == "local");
    REQUIRE(local.newest);
    CHECK(local.newest->id == newest);
    CHECK(local.newest->finished_at == at("2026-01-31T02:00:03Z"));
    CHECK(local.known_since == today);
    const auto& remote = inputs.jobs[0].places[1];
    REQUIRE(remote.newest);
    CHECK(remote.newest->id == older);
    CHECK(remote.newest->finished_at == at("2026-01-30T04:00:00Z"));
    REQUIRE(inputs.jobs[0].owed.size() == 1);
    CHECK(inputs.jobs[0].owed[0].target == "r2");
    CHECK(inputs.jobs[0].owed[0].oldest == newest);

    // A set that was found corrupt is not good, and is told for as long as it lies there.
    world.catalog->put_set_state({newest, model::Verification::none, today, true, "shop.dump has another checksum"});
    world.catalog->put_set_state({{"shop", "20200101_000000"}, model::Verification::none, today, true, "gone since"});
    inputs = world.look(today + 1h);
    CHECK(inputs.jobs[0].places[0].newest->id == older);
    CHECK(inputs.jobs[0].places[0].known_since == today);
    REQUIRE(inputs.jobs[0].corrupt.size() == 1);
    CHECK(inputs.jobs[0].corrupt[0].id == newest);
}

TEST_CASE("a copy that a check found damaged is told of its target, another host's is not") {
    World world;
    const auto id = add_set(world.place.repository, "shop", "2026-01-30T02:00:00Z");
    auto bad = copy("r2", id, "2026-01-30T02:00:00Z");
    bad.verified = model::Verification::none;
    auto strange = copy("r2", {"shop", "20260131_200000"}, "2026-01-31T20:00:00Z");
    strange.host = "db2";
    strange.verified = model::Verification::none;
    world.catalog->put_copies({bad, strange});
    const auto job = world.look().jobs.at(0);
    REQUIRE(job.corrupt.size() == 1);
    CHECK(job.corrupt[0].id == id);
    CHECK(job.corrupt[0].place == "r2");
    CHECK_FALSE(job.places.at(1).newest);
}

TEST_CASE("the history of a job tells of its last run, its last success and its sizes") {
    World world;
    auto inputs = world.look();
    CHECK_FALSE(inputs.jobs[0].last_run);
    CHECK_FALSE(inputs.jobs[0].last_success);
    world.catalog->begin_run(run(1, "shop", "2026-01-29T02:00:00Z", model::Outcome::success));
    world.catalog->begin_run(run(2, "shop", "2026-01-30T02:00:00Z", model::Outcome::warning));
    world.catalog->begin_run(run(3, "shop", "2026-01-31T02:00:00Z", model::Outcome::failed));
    world.catalog->begin_run(run(4, "shop", "2026-01-31T03:00:00Z", model::Outcome::skipped));
    inputs = world.look();
    REQUIRE(inputs.jobs[0].last_run);
    CHECK(inputs.jobs[0].last_run->outcome == model::Outcome::failed);
    CHECK(inputs.jobs[0].last_run->message == "no space");
    CHECK(inputs.jobs[0].last_run->hint == "make room");
    CHECK(inputs.jobs[0].last_success == at("2026-01-30T04:00:00Z"));
    CHECK(inputs.jobs[0].sizes == std::vector<std::uint64_t>{2, 1});
}

TEST_CASE("what ended and could not be recorded is added to what the catalog knows") {
    World world;
    world.add(spec("crm", "daily at 03:00"));
    auto inputs = world.look();
    add_run(inputs, run(1, "shop", "2026-01-31T02:00:00Z", model::Outcome::success));
    add_run(inputs, run(2, "shop", "2026-01-31T03:00:00Z", model::Outcome::failed));
    add_run(inputs, run(3, "shop", "2026-01-31T04:00:00Z", model::Outcome::cancelled));
    add_run(inputs, run(4, "gone", "2026-01-31T04:00:00Z", model::Outcome::failed));
    add_missed(inputs, {{"crm", {3, false, "03:00"}}, {"gone", {}}});
    REQUIRE(inputs.jobs.at(0).last_run);
    CHECK(inputs.jobs.at(0).last_run->outcome == model::Outcome::failed);
    CHECK(inputs.jobs.at(0).last_run->message == "no space");
    CHECK(inputs.jobs.at(0).last_success == at("2026-01-31T04:00:00Z"));
    CHECK_FALSE(inputs.jobs.at(0).missed);
    CHECK_FALSE(inputs.jobs.at(1).last_run);
    REQUIRE(inputs.jobs.at(1).missed);
    CHECK(inputs.jobs.at(1).missed->count == 3);
}

TEST_CASE("what a run that goes on has just begun to send is not owed yet, what it has failed to send is") {
    World world;
    auto owed = copy("r2", {"shop", "20260131_020000"}, "2026-01-31T02:00:00Z");
    owed.owed = true;
    world.catalog->put_copy(owed);
    world.running = {"shop"};
    CHECK(world.look().jobs[0].owed.empty());
    owed.message = "403 Forbidden";
    world.catalog->put_copy(owed);
    REQUIRE(world.look().jobs[0].owed.size() == 1);
    CHECK(world.look().jobs[0].owed[0].message == "403 Forbidden");
}

TEST_CASE("a job that is over may have sets of any age, one that runs by name has the age it is given") {
    World world;
    world.add(spec("once", "once at 2026-01-15 00:00"));
    world.add(spec("releases", "milestone"));
    const auto inputs = world.look();
    REQUIRE(inputs.jobs.size() == 3);
    CHECK(inputs.jobs[0].max_age == 26h);
    CHECK_FALSE(inputs.jobs[1].max_age);
    CHECK(inputs.jobs[2].max_age == 26h);
}

TEST_CASE("a set that a clock ahead has dated says nothing of its age") {
    World world;
    (void)world.look(today - 10h);
    (void)add_set(world.place.repository, "shop", "2027-01-31T02:00:00Z");
    const auto place = world.look().jobs[0].places[0];
    REQUIRE(place.newest);
    CHECK(place.newest->finished_at == today - 10h);
}

TEST_CASE("what a clock ahead has dated hides neither the copies nor the sizes that came after it was put right") {
    World world;
    auto ahead = copy("r2", {"shop", "20270131_020000"}, "2027-01-31T02:00:00Z");
    auto good = copy("r2", {"shop", "20260128_020000"}, "2026-01-28T02:00:00Z");
    for (auto* each : {&ahead, &good}) {
        const auto number = each == &ahead ? 1U : 2U;
        const auto report = run(number, "shop", each == &ahead ? "2027-01-31T02:00:00Z" : "2026-01-28T02:00:00Z",
                                model::Outcome::success);
        world.catalog->begin_run(report);
        each->run = report.run;
    }
    world.catalog->put_copies({ahead});
    auto job = world.look().jobs.at(0);
    CHECK(job.places.at(1).newest->id == ahead.id);
    CHECK(job.places.at(1).newest->finished_at == today);  // as far as can be told
    world.catalog->put_copies({good});
    job = world.look().jobs.at(0);
    REQUIRE(job.places.at(1).newest);
    CHECK(job.places.at(1).newest->id == good.id);
    CHECK(job.places.at(1).newest->finished_at == at("2026-01-28T04:00:00Z"));
    CHECK(job.sizes == std::vector<std::uint64_t>{2, 1});
}

TEST_CASE("a repository is compared with the one that the catalog is about, and so is each job's directory") {
    World world;
    world.add(spec("crm", "daily at 03:00"));
    (void)add_set(world.place.repository, "shop", "2026-01-30T02:00:00Z");
    (void)add_set(world.place.repository, "crm", "2026-01-30T03:00:00Z");
    world.place.repository.set_identity("ours");
    world.catalog->put_repository_id("ours");
    auto inputs = world.look();
    CHECK_FALSE(inputs.other_repository);
    CHECK_FALSE(inputs.jobs[0].other_repository);
    const auto directory = world.place.repository.directory();
    std::ofstream(directory / "crm" / ".repository-id") << "pgbakd-repository another\n";
    inputs = world.look();
    CHECK_FALSE(inputs.other_repository);
    CHECK_FALSE(inputs.jobs[0].other_repository);
    REQUIRE(inputs.jobs[1].other_repository);
    CHECK(inputs.jobs[1].other_repository->message.starts_with((directory / "crm").string() + " is another one"));
    CHECK(world.look(today, "crm").jobs[0].other_repository);
    // The whole of it is told once, not for each job.
    std::filesystem::remove(directory / ".repository-id");
    inputs = world.look();
    REQUIRE(inputs.other_repository);
    CHECK(inputs.other_repository->hint.find("pgbakctl rescan") != std::string::npos);
    CHECK_FALSE(inputs.jobs[1].other_repository);
}

TEST_CASE("a look at one job asks of that one only, and forgets none of the others") {
    World world;
    world.add(spec("crm", "hourly"));
    (void)world.look(today - 10h);
    const auto one = world.look(today, "crm");
    CHECK_FALSE(one.everything);
    REQUIRE(one.jobs.size() == 1);
    CHECK(one.jobs[0].name == "crm");
    CHECK(one.directories.empty());
    CHECK(one.jobs[0].places[0].known_since == today - 10h);
    CHECK(world.look(today, "none").jobs.empty());
    CHECK(world.look().jobs[0].places[0].known_since == today - 10h);
}

TEST_CASE("disks, channels and what is open come with a look at everything") {
    World world;
    for (const auto* name : {"ops", "quiet", "well"})
        world.config.channels.emplace(name, model::ChannelSpec{name, model::WebhookPlace{}, {}, {}});
    model::Alert alert;
    alert.id = "1";
    alert.at = today - 1h;
    world.catalog->queue_alerts({{"ops", alert}, {"gone", alert}}, today);
    world.catalog->alerts_failed("ops", today, "503");
    world.catalog->alerts_lost("quiet", {}, today, "400");
    world.catalog->alerts_lost("gone", {}, today, "400");
    auto finding = open(FindingKind::too_old, "shop", "local");
    world.catalog->apply_findings({finding}, {}, today);
    const auto inputs = world.look();
    CHECK(inputs.everything);
    REQUIRE(inputs.directories.size() == 2);
    CHECK(inputs.directories[0].total > 0);
    CHECK(inputs.directories[0].problem.empty());
    CHECK_FALSE(inputs.directories[0].file_system.empty());
    CHECK(inputs.directories[0].min_free == world.config.repository.min_free);
    REQUIRE(inputs.channels.size() == 3);
    CHECK(inputs.channels[0].name == "ops");
    CHECK(inputs.channels[0].waiting == 1);
    CHECK(inputs.channels[0].message == "503");
    CHECK(inputs.channels[0].lost.empty());
    CHECK(inputs.channels[1].lost == "400");
    CHECK(inputs.channels[2].waiting == 0);
    CHECK(inputs.open == std::vector{finding});
}

TEST_CASE("what waits for one recipient waits for the channel, which fails only if that lasts") {
    World world;
    world.config.channels.emplace("mail", model::ChannelSpec{"mail", model::MailPlace{}, Severity::info, {}});
    model::Alert alert;
    alert.id = "1";
    world.catalog->queue_alerts({{"mail b@example.com", alert}}, today - 5min);
    world.catalog->queue_alerts({{"mail", alert}}, today - 1min);
    for (int i = 0; i < 5; ++i) world.catalog->alerts_failed("mail b@example.com", today, "450 come again");
    const auto inputs = world.look();
    REQUIRE(inputs.channels.size() == 1);
    CHECK(inputs.channels[0].waiting == 2);
    CHECK(inputs.channels[0].oldest == today - 5min);
    CHECK(inputs.channels[0].attempts == 1);
    CHECK(inputs.channels[0].message == "450 come again");
    const auto fails = [](const Inputs& seen) {
        return std::ranges::any_of(evaluate(seen), [](const Finding& each) {
            return each.key == model::FindingKey{FindingKind::channel_failing, {}, "mail"};
        });
    };
    CHECK_FALSE(fails(inputs));
    CHECK(fails(world.look(today + 1h)));
}

TEST_CASE("a repository that cannot be looked at is told, and not taken for an empty one") {
    World world;
    // No file system has names that long: asking for one fails, whoever asks.
    const repository::Repository elsewhere(world.place.directory / std::string(300, 'x'));
    const auto inputs = collect({world.config, elsewhere, *world.catalog, {}}, today);
    CHECK_FALSE(inputs.jobs[0].places[0].looked_at);
    CHECK(inputs.jobs[0].places[0].problem.empty());  // told once, for all jobs
    REQUIRE(inputs.unseen.size() == 1);
    CHECK_FALSE(inputs.unseen[0].message.empty());
}

TEST_CASE("a job's directory that cannot be looked at is that job's trouble; what it made goes on to age") {
    World world;
    const std::string blind = "shop";
    world.add(spec("a", "daily at 02:00"));
    const repository::Repository deep(support::deep_directory(world.place.directory.path()));
    const auto look = [&](const std::optional<std::string>& job = std::nullopt) {
        return collect({world.config, deep, *world.catalog, {}}, today, job);
    };
    const auto made = [&](unsigned number, std::string_view started_at, model::Outcome outcome,
                          const std::string& set) {
        auto report = run(number, blind, started_at, outcome);
        if (!set.empty()) report.set = blind + "/" + set;
        world.catalog->begin_run(report);
    };
    auto inputs = look();
    REQUIRE(inputs.jobs.size() == 2);
    CHECK(inputs.unseen.empty());
    CHECK(inputs.jobs[1].places[0].looked_at);
    CHECK_FALSE(inputs.jobs[0].places[0].looked_at);
    CHECK_FALSE(inputs.jobs[0].places[0].problem.empty());
    CHECK_FALSE(inputs.jobs[0].places[0].newest);

    made(1, "2026-01-27T02:00:00Z", model::Outcome::success, "20260127_020000");
    made(2, "2026-01-28T02:00:00Z", model::Outcome::warning, "20260128_020000");
    made(3, "2026-01-29T02:00:00Z", model::Outcome::success, "20260129_020000");
    made(4, "2026-01-30T02:00:00Z", model::Outcome::failed, "");
    made(5, "2027-01-30T02:00:00Z", model::Outcome::success, "20270130_020000");  // by a clock ahead
    world.catalog->put_set_state(
        {{blind, "20260129_020000"}, model::Verification::none, today, true, "a.dump has another checksum"});
    inputs = look(blind);
    const auto& newest = inputs.jobs.at(0).places[0].newest;
    REQUIRE(newest);
    CHECK(newest->id.set == "20260128_020000");
    CHECK(newest->finished_at == at("2026-01-28T04:00:00Z"));
}

TEST_CASE("the set whose check is longest ago is read next") {
    const model::SetId a{"a", "20260101_000000"}, b{"a", "20260102_000000"};
    const auto day = 24h;
    struct Row {
        std::vector<Checked> sets;
        std::optional<model::SetId> expected;
    };
    for (const auto& row : std::vector<Row>{
             {{}, std::nullopt},
             {{{a, now - 8 * day}}, a},
             {{{a, now - 6 * day}}, std::nullopt},
             {{{a, now - 8 * day}, {b, now - 9 * day}}, b},
             {{{b, now - 9 * day}, {a, now - 9 * day}}, a},
             {{{a, now - 1 * day}, {b, now - 9 * day}}, b},
             {{{a, now + 1 * day}}, a},
             {{{a, {}}, {b, now - 9 * day}}, a},
             // One that could not be read lets the others go first, but not those that were read lately.
             {{{a, now - 90 * day, now - 1h}, {b, now - 9 * day}}, b},
             {{{a, now - 90 * day, now - 1h}, {b, now - 6 * day}}, a},
             {{{a, now - 90 * day, now - 1h}, {b, now - 9 * day, now - 2h}}, b},
         }) {
        CHECK(next_to_read(row.sets, now) == row.expected);
    }
}

TEST_CASE("sets are read again in turn, and what is found is noted in both places") {
    World world;
    auto& repository = world.place.repository;
    const auto first = add_set(repository, "shop", "2026-01-02T00:00:00Z");
    const auto second = add_set(repository, "shop", "2026-01-03T00:00:00Z");
    const auto next = [&] { return next_to_read(sets_to_read(repository, *world.catalog), today); };
    CHECK(next() == first);
    CHECK(reread(repository, *world.catalog, first, today, {}).result == Result::good);
    CHECK(next() == second);

    pgbakd::testing::write(repository.find(second).directory / ("shop_" + second.set + ".sql.gz"), "flipped");
    const auto corrupt = reread(repository, *world.catalog, second, today, {});
    CHECK(corrupt.result == Result::corrupt);
    CHECK(corrupt.message.find("shop_" + second.set + ".sql.gz ") == 0);
    CHECK_FALSE(next());
    REQUIRE(repository.find(second).corrupt);
    CHECK(repository.find(second).corrupt->message == corrupt.message);
    const auto states = world.catalog->set_states();
    REQUIRE(states.size() == 2);
    CHECK_FALSE(states[0].corrupt);
    CHECK(states[0].verified == model::Verification::decoded);
    CHECK(states[1].corrupt);
    CHECK(texts(evaluate(world.look())).front().find("critical too_old") != 0);
    CHECK(world.look().jobs[0].corrupt.size() == 1);

    CHECK(reread(repository, *world.catalog, {"shop", "20250101_000000"}, today, {}).result == Result::gone);
    const auto stopped = pgbakd::testing::error_of(
        [&] { (void)reread(repository, *world.catalog, first, today, [](std::uint64_t) { return false; }); });
    CHECK(stopped.code() == base::ErrorCode::cancelled);
}

TEST_CASE("a set that cannot be read again is told until it can, or is gone") {
    World world;
    auto& repository = world.place.repository;
    const auto first = add_set(repository, "shop", "2026-01-02T00:00:00Z");
    const auto second = add_set(repository, "shop", "2026-01-03T00:00:00Z");
    TriedSets tried;
    // As health has it, without what else it sees in that world.
    const auto look = [&] {
        auto inputs = world.look();
        add_tried(inputs, tried, repository);
        Texts told;
        for (const auto& finding : evaluate(inputs))
            if (finding.key.kind == FindingKind::check_incomplete) told.push_back(text(finding));
        world.catalog->apply_findings(reconcile(inputs, evaluate(inputs)).all(), {}, today);
        return told;
    };
    CHECK(look().empty());
    tried[first] = {today, "shop.dump: an I/O error"};
    const Texts unread{"warning check_incomplete shop local: could not be read again: " + first.text() +
                       ": shop.dump: an I/O error"};
    CHECK(look() == unread);
    CHECK(look() == unread);
    // Nothing is known of it for a while after a start: it stays as it was.
    tried.clear();
    CHECK(look() == unread);
    tried[second] = {today, ""};
    CHECK(look() == unread);
    tried[first] = {today, ""};
    CHECK(look().empty());
    tried[first].message = "an I/O error";
    CHECK(look().size() == 1);
    std::filesystem::remove_all(repository.directory() / first.job / first.set);
    CHECK(look().empty());
}

}  // namespace pgbakd::health
