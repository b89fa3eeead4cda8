#include "service/report_pages.hpp"

#include <array>
#include <random>

#include "support/common.hpp"
#include "support/temporary_directory.hpp"

using namespace pgbakd;
using namespace std::chrono_literals;
using model::Outcome;
using Texts = std::vector<std::string>;

namespace {

constexpr base::Timestamp now{std::chrono::milliseconds(1'768'003'200'000)};

model::RunReport report_of(unsigned number, const std::string& job, std::chrono::hours age, Outcome outcome) {
    std::array<std::byte, 10> random{static_cast<std::byte>(number)};
    model::RunReport report;
    report.run = base::RunId::make(now, random);
    report.job = job;
    report.outcome = outcome;
    report.started_at = now - age;
    report.notes.push_back(std::to_string(number));
    return report;
}

Texts numbers_of(const std::vector<model::RunReport>& reports) {
    Texts numbers;
    for (const auto& report : reports) numbers.push_back(report.notes.back());
    return numbers;
}

struct Fixture {
    support::TemporaryDirectory directory;
    std::unique_ptr<catalog::Catalog> catalog = catalog::Catalog::open(directory / "state.db", now);
    service::LaterReports later;

    void later_is(const model::RunReport& report) { later.insert_or_assign(report.run.text(), report); }
    service::ReportPage page(const service::ReportQuery& query) const { return page_of(*catalog, query, later); }
};

}  // namespace

TEST_CASE("a run whose end could not be recorded is listed by its end") {
    Fixture fixture;
    fixture.catalog->finish_run(report_of(1, "shop", 3h, Outcome::success));
    fixture.catalog->begin_run(report_of(2, "shop", 2h, Outcome::running));
    fixture.catalog->begin_run(report_of(3, "crm", 1h, Outcome::running));
    fixture.later_is(report_of(2, "shop", 2h, Outcome::failed));
    fixture.later_is(report_of(3, "crm", 1h, Outcome::running));
    fixture.later_is(report_of(4, "shop", 0h, Outcome::failed));  // nor could its beginning
    struct Row {
        std::optional<Outcome> status;
        Texts expected;
    };
    for (const auto& row : {Row{{}, {"4", "3", "2", "1"}}, Row{Outcome::failed, {"4", "2"}},
                            Row{Outcome::running, {"3"}}, Row{Outcome::success, {"1"}}, Row{Outcome::skipped, {}}}) {
        const service::ReportQuery query{.job = {}, .status = row.status};
        const auto page = fixture.page(query);
        CHECK(numbers_of(page.reports) == row.expected);
        CHECK(page.total == row.expected.size());
        const auto latest = latest_of(*fixture.catalog, query, fixture.later, now);
        CHECK(latest.has_value() == !row.expected.empty());
        if (latest) CHECK(latest->notes.back() == row.expected.front());
    }
    CHECK(numbers_of(fixture.page({.job = "shop", .status = {}}).reports) == Texts{"4", "2", "1"});
}

TEST_CASE("pages follow each other without a gap, whatever the catalog has of the runs on them") {
    std::mt19937 random(20260110);
    const auto outcome = [&random] { return random() % 2 == 0 ? Outcome::success : Outcome::failed; };
    for (int round = 0; round < 12; ++round) {
        Fixture fixture;
        for (unsigned number = 1; number <= 12; ++number) {
            // Several begin in one hour, and one may have begun when the catalog has another outcome of it.
            const std::chrono::hours age(random() % 8);
            const auto known = random() % 3;
            if (known != 0) fixture.catalog->finish_run(report_of(number, "shop", age, outcome()));
            if (known != 1) fixture.later_is(report_of(number, "shop", age, outcome()));
        }
        service::ReportQuery all{.job = {}, .status = {}, .page = 1, .page_size = 200};
        for (const auto status : {std::optional<Outcome>(), std::optional(Outcome::failed)}) {
            all.status = status;
            const auto whole = fixture.page(all);
            CHECK(whole.total == whole.reports.size());
            if (!status) CHECK(whole.total == 12);
            for (const int size : {1, 2, 5}) {
                Texts joined;
                for (int page = 1; page <= 13; ++page) {
                    const auto part =
                        fixture.page({.job = {}, .status = status, .page = page, .page_size = size}).reports;
                    for (auto& text : numbers_of(part)) joined.push_back(text);
                }
                CHECK(joined == numbers_of(whole.reports));
            }
        }
    }
}
