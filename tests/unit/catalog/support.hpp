// What the tests of lib/catalog share.
#pragma once

#include <sys/stat.h>
#include <unistd.h>

#include <array>

#include "calendar/zone.hpp"
#include "catalog/catalog.hpp"
#include "support/common.hpp"
#include "support/temporary_directory.hpp"

namespace pgbakd::testing {

// The Error that `action` throws; the test fails if it throws none.
template <class Action>
base::Error error_of(Action action) {
    try {
        action();
    } catch (const base::Error& error) {
        return error;
    }
    FAIL("no error was thrown");
    return {base::ErrorCode::internal, ""};
}

inline base::Instant slot_at(std::string_view text) {
    return calendar::parse_rfc3339(text).value();
}

inline base::Timestamp at(std::string_view text) {
    return base::Timestamp(slot_at(text));
}

inline const base::Timestamp today = base::Timestamp(std::chrono::seconds(1'770'000'000));

inline base::RunId run_id(unsigned number, base::Timestamp time = today) {
    std::array<std::byte, 10> random{};
    for (unsigned i = 0; i < 4; ++i) random.at(i) = static_cast<std::byte>(number >> (8 * i));
    return base::RunId::make(time, random);
}

inline model::RunReport run(unsigned number, const std::string& job, base::Timestamp started_at,
                            model::Outcome outcome = model::Outcome::running) {
    model::RunReport report;
    report.run = run_id(number);
    report.job = job;
    report.outcome = outcome;
    report.started_at = started_at;
    if (outcome != model::Outcome::running) report.finished_at = started_at + std::chrono::seconds(10);
    return report;
}

// Takes a present file back to schema 3: the same tables but for what came with findings and alerts.
inline const std::string as_schema_3 =
    "DROP TABLE beginning; DROP TABLE gaps; DROP TABLE asked_targets; ALTER TABLE copies DROP COLUMN tried;"
    " DROP TABLE job_channels; DROP TABLE change_stamps; DROP TABLE set_names; DROP TABLE repository;"
    " DROP TABLE findings; DROP TABLE alerts; DROP TABLE channel_states; DROP TABLE known_places;"
    " DROP INDEX untold_runs; ALTER TABLE runs DROP COLUMN told; ALTER TABLE runs DROP COLUMN size_bytes;"
    " PRAGMA user_version = 3;";

// A catalog in a directory of its own.
struct Place {
    support::TemporaryDirectory directory;
    std::filesystem::path file = directory / "state.db";
    std::unique_ptr<catalog::Catalog> catalog = catalog::Catalog::open(file, today);
    void reopen() {
        catalog.reset();
        catalog = catalog::Catalog::open(file, today);
    }
};

inline std::vector<std::string> runs_of(catalog::Catalog& catalog, const catalog::RunFilter& filter = {}) {
    std::vector<std::string> result;
    for (const auto& report : catalog.runs(filter)) result.push_back(report.run.text());
    return result;
}

}  // namespace pgbakd::testing
