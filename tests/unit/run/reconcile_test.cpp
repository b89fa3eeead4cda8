#include "run/reconcile.hpp"

#include <array>
#include <fstream>

#include "offsite/backlog.hpp"
#include "run/report_file.hpp"
#include "support/catch.hpp"
#include "support/nouns.hpp"
#include "support/temporary_directory.hpp"

using namespace pgbakd;
using namespace std::chrono_literals;

namespace {

const base::Timestamp now = base::Timestamp(std::chrono::seconds(1'770'000'000));

// A daemon's disk, as one that was killed left it.
struct Host {
    support::TemporaryDirectory directory;
    repository::Repository repository{directory / "repository"};
    std::filesystem::path reports = directory / "reports";
    std::unique_ptr<catalog::Catalog> catalog = catalog::Catalog::open(directory / "state.db", now);

    model::RunReport begin(unsigned char number) {
        std::array<std::byte, 10> random{};
        random[0] = static_cast<std::byte>(number);
        model::RunReport report;
        report.run = base::RunId::make(now, random);
        report.job = "job";
        report.started_at = now;
        report.timezone = "UTC";
        catalog->begin_run(report);
        return report;
    }
    run::Jobs jobs;
    void configure(model::KeepLocal keep, std::vector<std::string> targets) {
        jobs = {std::make_shared<const model::JobSpec>(testing::job_spec("job", std::move(targets), keep))};
    }
    void put_copy(const std::string& target, const model::BackupSet& set, bool owed = false) {
        auto copy = offsite::owed_copy(target, set, now + 5s);
        copy.owed = owed;
        if (!owed) copy.assurance = "checksum";
        catalog->put_copy(copy);
    }
    // A set that a check found corrupt, which the catalog alone knows.
    model::SetId add_corrupt_set(const std::string& name) {
        const auto id = add_set(name).id;
        catalog->put_set_state({id, model::Verification::none, now, true, "shop.sql is cut off"});
        return id;
    }
    model::BackupSet add_set(const std::string& name, const base::RunId& run = {}) {
        return testing::commit_small_set(repository, "job", name, now, run);
    }
    run::Reconciled reconcile() { return run::reconcile(repository, *catalog, reports, jobs, now + 1min); }
    std::size_t report_files() const {
        std::size_t count = 0;
        for (const auto& entry : std::filesystem::directory_iterator(reports)) count += entry.is_regular_file() ? 1 : 0;
        return count;
    }
};

}  // namespace

TEST_CASE("a run that left nothing is interrupted, in the catalog and in one report, and only once") {
    Host host;
    host.repository.prepare();
    const auto run = host.begin(1);
    const auto first = host.reconcile();
    CHECK(first.failures.empty());
    REQUIRE(first.interrupted.size() == 1);
    CHECK(host.catalog->run(run.run)->outcome == model::Outcome::interrupted);
    CHECK(host.catalog->run(run.run)->error->code == "interrupted");
    CHECK(host.report_files() == 1);
    const auto second = host.reconcile();
    CHECK(second.interrupted.empty());
    CHECK(host.report_files() == 1);
}

TEST_CASE("a run whose report was written before the catalog heard of it ends as the report says") {
    Host host;
    host.repository.prepare();
    auto run = host.begin(1);
    const auto untold = host.begin(2);
    run.outcome = model::Outcome::cancelled;
    run.finished_at = now + 1s;
    run.error = model::ErrorReport{"cancelled", "cancelled on request", ""};
    run::write_report(host.reports, run, "20260202_024000");
    const auto result = host.reconcile();
    CHECK(result.failures.empty());
    REQUIRE(result.interrupted.size() == 1);
    CHECK(result.interrupted.front().run == untold.run);
    CHECK(host.catalog->run(run.run)->outcome == model::Outcome::cancelled);
    CHECK(host.catalog->run(run.run)->error->message == "cancelled on request");
    CHECK(host.report_files() == 2);
}

TEST_CASE("half a report is swept once nobody can be writing it any more") {
    Host host;
    std::filesystem::create_directories(host.reports);
    const auto old = host.reports / ".job_20260202_024000.json.0123456789abcdef.new";
    const auto other = host.reports / ".profile";
    for (const auto& path : {old, other}) std::ofstream(path) << "{";
    run::sweep_reports(host.reports, base::SystemClock{}.now());
    CHECK(std::filesystem::exists(old));
    run::sweep_reports(host.reports, base::SystemClock{}.now() + 2min);
    CHECK_FALSE(std::filesystem::exists(old));
    CHECK(std::filesystem::exists(other));
}

TEST_CASE("a set that only the catalog knows as corrupt is marked, told once, and corrupt without the catalog") {
    Host host;
    host.repository.prepare();
    const auto set = host.add_corrupt_set("20260202_024000");
    const auto gone = host.add_corrupt_set("20260202_024001");
    const auto good = host.add_corrupt_set("20260202_024002");
    host.catalog->put_set_state({good, model::Verification::decoded, now, false, {}});
    host.repository.remove(gone);
    const auto first = host.reconcile();
    CHECK(first.failures.empty());
    CHECK(first.notes == std::vector<std::string>{
                             set.text() + ": found corrupt, which only the state file told: it is marked so now"});
    const auto stored = host.repository.find(set);
    REQUIRE(stored.corrupt);
    CHECK(stored.corrupt->found_at == now);
    CHECK(stored.corrupt->message == "shop.sql is cut off");
    CHECK_FALSE(host.repository.find(good).corrupt);
    CHECK(host.reconcile().notes.empty());
}

TEST_CASE("a mark that says more than the catalog is not written over") {
    Host host;
    host.repository.prepare();
    const auto set = host.add_corrupt_set("20260202_024000");
    host.repository.mark_corrupt(set, repository::Corruption{now + 1s, "found again"});
    CHECK(host.reconcile().notes.empty());
    CHECK(host.repository.find(set).corrupt->message == "found again");
}

TEST_CASE("a run whose set is on targets alone has left it, and says which of them lack it") {
    struct Row {
        std::vector<std::string> there;
        bool complete;
        bool configured;
        model::Outcome outcome;
        std::vector<std::string> told;
    };
    using model::Outcome;
    for (const auto& row : {Row{{"nas", "r2"}, true, true, Outcome::success, {"nas copied", "r2 copied"}},
                            Row{{"r2"}, true, true, Outcome::warning, {"r2 copied", "nas failed"}},
                            Row{{"r2"}, false, true, Outcome::failed, {"r2 copied", "nas failed"}},
                            Row{{"r2"}, true, false, Outcome::success, {"r2 copied"}}}) {
        CAPTURE(row.there.size(), row.complete, row.configured);
        Host host;
        host.repository.prepare();
        if (row.configured) host.configure(model::KeepLocal::never, {"nas", "r2"});
        const auto run = host.begin(1);
        model::BackupSet set;
        set.id = {"job", "20260202_024000"};
        set.run = run.run;
        set.started_at = now + 1s;
        set.complete = row.complete;
        for (const auto& target : row.there) host.put_copy(target, set);
        const auto result = host.reconcile();
        CHECK(result.failures.empty());
        CHECK(result.interrupted.empty());
        REQUIRE(result.finished.size() == 1);
        const auto settled = *host.catalog->run(run.run);
        CHECK(settled.outcome == row.outcome);
        CHECK(settled.set == "job/20260202_024000");
        CHECK(settled.finished_at == now + 5s);
        std::vector<std::string> told;
        for (const auto& target : settled.targets) told.push_back(target.name + " " + target.status);
        CHECK(told == row.told);
        CHECK(host.report_files() == 1);
        CHECK(host.reconcile().finished.empty());
    }
}

TEST_CASE("what is owed, another run's or another host's is nothing that a run has left") {
    Host host;
    host.repository.prepare();
    host.configure(model::KeepLocal::never, {"nas"});
    const auto run = host.begin(1);
    model::BackupSet set;
    set.id = {"job", "20260202_024000"};
    set.run = host.begin(2).run;
    SECTION("another run's") {
        host.put_copy("nas", set);
        const auto result = host.reconcile();
        REQUIRE(result.interrupted.size() == 1);
        CHECK(result.interrupted[0].run == run.run);
        REQUIRE(result.finished.size() == 1);
    }
    SECTION("owed") {
        host.put_copy("nas", set, true);
        CHECK(host.reconcile().interrupted.size() == 2);
    }
    SECTION("another host's") {
        auto copy = offsite::owed_copy("nas", set, now);
        copy.owed = false;
        copy.host = "db2";
        host.catalog->put_copy(copy);
        CHECK(host.reconcile().interrupted.size() == 2);
    }
}

TEST_CASE("no local set goes at the start on the catalog's word alone") {
    Host host;
    host.repository.prepare();
    host.configure(model::KeepLocal::until_copied, {"nas"});
    // A kill behind its last copy; one that was settled before.
    const auto run = host.begin(1);
    const auto killed = host.add_set("20260202_024003", run.run);
    const auto before = host.add_set("20260202_024001");
    host.put_copy("nas", killed);
    host.put_copy("nas", before);
    const auto result = host.reconcile();
    CHECK(result.failures.empty());
    CHECK(result.notes.empty());
    CHECK(host.repository.ids() == std::vector{before.id, killed.id});
    const auto settled = *host.catalog->run(run.run);
    CHECK(settled.outcome == model::Outcome::success);
    CHECK(settled.set == killed.id.text());
    CHECK(settled.artifacts.size() == 1);
}

TEST_CASE("a repository gets its id at the first start, and another one in its place is told at each") {
    Host host;
    host.repository.prepare();
    CHECK(host.reconcile().notes.empty());
    const auto id = host.catalog->repository_id();
    REQUIRE(id);
    CHECK(host.repository.identity() == id);
    host.add_set("20260202_024000", host.begin(1).run);
    CHECK(host.reconcile().notes.empty());
    std::filesystem::remove(host.repository.directory() / ".repository-id");
    for (int start = 0; start < 2; ++start) {
        const auto notes = host.reconcile().notes;
        REQUIRE(notes.size() == 1);
        CHECK(notes.front().starts_with(host.repository.directory().native() + " has no id, and is not what "));
    }
    CHECK(host.catalog->repository_id() == id);
}

TEST_CASE("a state file that is new beside a repository with sets is told once, with what to do") {
    Host host;
    host.repository.prepare();
    host.add_set("20260202_024000");
    const auto notes = host.reconcile().notes;
    REQUIRE(notes.size() == 1);
    CHECK(notes.front().starts_with("the state file is new: `pgbakctl rescan` "));
    host.begin(1);
    CHECK(host.reconcile().notes.empty());
}

TEST_CASE("a start goes on where the repository's id cannot be written") {
    Host host;
    host.repository.prepare();
    std::filesystem::create_directories(host.repository.directory() / ".repository-id" / "x");
    const auto result = host.reconcile();
    CHECK(result.failures.size() == 1);
    CHECK_FALSE(host.catalog->repository_id());
}
