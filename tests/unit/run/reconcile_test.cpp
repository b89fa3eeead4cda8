#include "run/reconcile.hpp"

#include <array>
#include <fstream>

#include "run/report_file.hpp"
#include "support/catch.hpp"
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
    run::Reconciled reconcile() { return run::reconcile(repository, *catalog, reports, now + 1min); }
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
