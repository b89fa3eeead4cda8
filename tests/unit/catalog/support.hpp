// What the tests of lib/catalog share.
#pragma once

#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>

#include "calendar/zone.hpp"
#include "catalog/catalog.hpp"
#include "support/common.hpp"
#include "support/error_of.hpp"
#include "support/temporary_directory.hpp"

namespace pgbakd::testing {

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

using Texts = std::vector<std::string>;

inline std::vector<std::string> runs_of(catalog::Catalog& catalog, const catalog::RunFilter& filter = {}) {
    std::vector<std::string> result;
    for (const auto& report : catalog.runs(filter)) result.push_back(report.run.text());
    return result;
}

inline model::Alert alert(const std::string& id, base::Timestamp at = today) {
    model::Alert result;
    result.id = id;
    result.kind = model::AlertKind::run_failed;
    result.severity = model::Severity::critical;
    result.at = at;
    result.host = "db1";
    result.job = "shop";
    result.title = "shop failed";
    result.message = "the disk is full; \"ü\"";
    return result;
}

inline Texts texts(const std::vector<catalog::WaitingAlert>& alerts) {
    Texts result;
    for (const auto& each : alerts) result.push_back(each.channel + " " + each.alert.id);
    return result;
}

// As an older pgbakd, or a mishap, has left the file.
inline void execute(const std::filesystem::path& file, const std::string& sql) {
    sqlite3* handle = nullptr;
    REQUIRE(sqlite3_open(file.c_str(), &handle) == SQLITE_OK);
    char* message = nullptr;
    const int code = sqlite3_exec(handle, sql.c_str(), nullptr, nullptr, &message);
    INFO((message != nullptr ? message : ""));
    CHECK(code == SQLITE_OK);
    sqlite3_free(message);
    sqlite3_close(handle);
}

}  // namespace pgbakd::testing
