#include "unit/model/support.hpp"

using namespace pgbakd;
using namespace std::chrono_literals;

namespace {

model::RunReport full_report() {
    const auto set = full_set();
    model::RunReport report;
    report.run = run_id();
    report.job = "shop-daily";
    report.trigger = model::Trigger::catch_up;
    report.outcome = model::Outcome::failed;
    report.slot = base::to_instant(at("2026-01-12T16:00:00Z"));
    report.started_at = at("2026-01-12T16:00:01.250Z");
    report.finished_at = at("2026-01-12T16:00:05.352Z");
    report.timezone = "Asia/Shanghai";
    report.set = "shop-daily/20260113_000001";
    report.set_directory = "/var/lib/pgbakd/repository/shop-daily/20260113_000001";
    report.size_bytes = 430'000;
    report.stages = {{.name = model::StageName::dump,
                      .status = "ok",
                      .started_at = at("2026-01-12T16:00:02Z"),
                      .duration = 1203ms,
                      .bytes = 12,
                      .attempts = 2,
                      .message = "medusa_production dumped"}};
    report.artifacts = set.artifacts;
    report.notes = {
        "a new database: gr\xc3\xb6\xc3\x9f"
        "e"};
    report.error = {.code = "program_failed", .message = "pg_dump: exit code 1", .hint = "see its last lines"};
    return report;
}

}  // namespace

TEST_CASE("a report says what it said, after a round trip") {
    const auto report = full_report();
    const auto text = model::to_report(report);
    CHECK(text.back() == '\n');
    const auto read = model::parse_report(text);
    REQUIRE(read);
    CHECK(model::to_report(*read) == text);
    CHECK(read->run == report.run);
    CHECK(read->slot == report.slot);
    CHECK(read->trigger == model::Trigger::catch_up);
    CHECK(read->outcome == model::Outcome::failed);
    CHECK(read->duration() == 4102ms);
    CHECK(read->stages.at(0).duration == 1203ms);
    CHECK(read->stages.at(0).attempts == 2);
    CHECK(read->artifacts.size() == 2);
    CHECK(read->notes == report.notes);
    CHECK(read->error->hint == "see its last lines");
}

TEST_CASE("a report has the keys that scripts rely on") {
    const auto report = model::json_run(full_report());
    CHECK(report.at("run").as_string() == run_id().text());
    CHECK(report.at("status").as_string() == "FAILED");
    CHECK(report.at("trigger").as_string() == "catch-up");
    CHECK(report.at("duration_seconds").as_double() == Approx(4.102));
    CHECK(report.at("size_bytes").as_uint64() == 430'000);
    CHECK(report.at("set").as_string() == "shop-daily/20260113_000001");
    CHECK(report.at("targets").as_array().empty());
    CHECK(report.at("stages").at(0).at("name").as_string() == "dump");
    CHECK(report.at("error").at("code").as_string() == "program_failed");
    CHECK(report.at("artifacts").at(1).at("path").as_string() ==
          "/var/lib/pgbakd/repository/shop-daily/20260113_000001/globals_20260113_000001.sql.gz");
    CHECK(model::to_report(full_report()).find("\"duration_seconds\": 4.102,") != std::string::npos);
}

TEST_CASE("what became of the set on each target is told, and read back") {
    auto report = full_report();
    report.targets = {
        {.name = "r2", .status = "copied", .bytes = 430'000, .verified = "checksum", .message = {}},
        {.name = "nas", .status = "owed", .bytes = 0, .verified = {}, .message = "mounting: no route to \xff host"}};
    const auto object = model::json_run(report);
    const auto& targets = object.at("targets").as_array();
    REQUIRE(targets.size() == 2);
    CHECK(targets[0].at("name").as_string() == "r2");
    CHECK(targets[0].at("status").as_string() == "copied");
    CHECK(targets[0].at("bytes").as_uint64() == 430'000);
    CHECK(targets[0].at("verified").as_string() == "checksum");
    CHECK(targets[0].at("message").is_null());
    CHECK(targets[1].at("status").as_string() == "owed");
    CHECK(targets[1].at("verified").is_null());
    const auto read = model::parse_report(model::to_report(report)).value();
    REQUIRE(read.targets.size() == 2);
    CHECK(read.targets[0].name == "r2");
    CHECK(read.targets[0].status == "copied");
    CHECK(read.targets[0].bytes == 430'000);
    CHECK(read.targets[0].verified == "checksum");
    CHECK(read.targets[0].message.empty());
    CHECK(read.targets[1].verified.empty());
    CHECK(read.targets[1].message.starts_with("mounting: no route to "));
    CHECK(model::to_report(read) == model::to_report(report));
    // A report from before there were targets.
    auto text = model::to_report(full_report());
    const auto key = text.find("  \"targets\"");
    text.erase(key, text.find('\n', key) + 1 - key);
    CHECK(model::parse_report(text).value().targets.empty());
}

TEST_CASE("what a run does not have is null") {
    model::RunReport report;
    report.run = run_id();
    report.job = "shop-daily";
    report.started_at = at("2026-01-12T16:00:01Z");
    const auto object = model::json_run(report);
    for (const char* key : {"finished_at", "duration_seconds", "set", "slot", "error"}) CHECK(object.at(key).is_null());
    const auto read = model::parse_report(model::to_report(report)).value();
    CHECK(read.outcome == model::Outcome::running);
    CHECK_FALSE(read.slot);
    CHECK_FALSE(read.error);
    CHECK(read.finished_at == base::Timestamp{});
}

TEST_CASE("a report that is not one is refused") {
    for (
        const char* text :
        {"", "{}", "[]", R"({"run":"01JHAF7Z8QZX3M5N7P9RATCVEW","job":"a","trigger":"manual","status":"GOOD"})",
         R"({"run":"01JHAF7Z8QZX3M5N7P9RATCVEW","job":"a","trigger":"manual","status":"SUCCESS","stages":[{"name":"x"}]})",
         R"({"run":"01JHAF7Z8QZX3M5N7P9RATCVEW","job":1,"trigger":"manual","status":"SUCCESS"})"}) {
        const auto report = model::parse_report(text);
        REQUIRE_FALSE(report);
        CHECK(report.error().code() == base::ErrorCode::corrupt);
    }
}
