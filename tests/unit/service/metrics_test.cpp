#include "service/metrics.hpp"

#include <set>

#include "support/catch.hpp"

using namespace pgbakd;
using namespace std::chrono_literals;

namespace {

constexpr base::Timestamp now{std::chrono::milliseconds(1'768'003'200'250)};  // 2026-01-10T00:00:00.25Z

service::JobMetrics full_job() {
    service::JobMetrics job;
    job.job = "shop-daily";
    job.last_success = now;
    job.newest = {now - 5min, 12'345, 4100ms};
    job.next_fire = base::to_instant(now + 2h);
    job.max_age = 26h;
    job.running = true;
    job.outcomes = {{model::Outcome::success, 3}, {model::Outcome::failed, 1}};
    job.places = {{"local", 7, 70'000}, {"r2", 30, 300'000}};
    job.owed = {{"r2", 2, 24'690}};
    return job;
}

bool has_line(const std::string& text, const std::string& line) {
    return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

}  // namespace

TEST_CASE("each value of a job is a sample") {
    service::MetricsInput input{
        "1.2", now - 1h, {full_job()}, {{"r2", 5, 500, 50, 1}}, {{model::Severity::critical, 2}}, {{"mail", 4}}};
    const auto text = service::metrics_text(input);
    CAPTURE(text);
    for (const auto* line : {
             R"(pgbakd_build_info{version="1.2"} 1)",
             R"(pgbakd_start_time_seconds 1767999600.25)",
             R"(pgbakd_last_success_timestamp_seconds{backup_job="shop-daily"} 1768003200.25)",
             R"(pgbakd_newest_set_timestamp_seconds{backup_job="shop-daily"} 1768002900.25)",
             R"(pgbakd_newest_set_bytes{backup_job="shop-daily"} 12345)",
             R"(pgbakd_newest_set_duration_seconds{backup_job="shop-daily"} 4.1)",
             R"(pgbakd_max_age_seconds{backup_job="shop-daily"} 93600)",
             R"(pgbakd_next_fire_timestamp_seconds{backup_job="shop-daily"} 1768010400)",
             R"(pgbakd_run_in_progress{backup_job="shop-daily"} 1)",
             R"(pgbakd_runs_total{backup_job="shop-daily",outcome="success"} 3)",
             R"(pgbakd_runs_total{backup_job="shop-daily",outcome="failed"} 1)",
             R"(pgbakd_runs_total{backup_job="shop-daily",outcome="skipped"} 0)",
             R"(pgbakd_sets{backup_job="shop-daily",place="local"} 7)",
             R"(pgbakd_sets_bytes{backup_job="shop-daily",place="r2"} 300000)",
             R"(pgbakd_copies_owed{backup_job="shop-daily",target="r2"} 2)",
             R"(pgbakd_copies_owed_bytes{backup_job="shop-daily",target="r2"} 24690)",
             R"(pgbakd_target_uploads_total{target="r2"} 5)",
             R"(pgbakd_target_sent_bytes_total{target="r2"} 500)",
             R"(pgbakd_target_received_bytes_total{target="r2"} 50)",
             R"(pgbakd_target_failures_total{target="r2"} 1)",
             R"(pgbakd_findings{severity="critical"} 2)",
             R"(pgbakd_findings{severity="warning"} 0)",
             R"(pgbakd_alerts_waiting{channel="mail"} 4)",
         }) {
        CAPTURE(line);
        CHECK(has_line(text, line));
    }
}

TEST_CASE("what a job does not have is no sample") {
    service::JobMetrics job;
    job.job = "new";
    const auto text = service::metrics_text({"1", now, {job}, {}, {}, {}});
    CHECK(has_line(text, R"(pgbakd_run_in_progress{backup_job="new"} 0)"));
    for (const auto* name :
         {"last_success_timestamp", "newest_set_bytes", "next_fire", "max_age", "sets", "copies_owed"}) {
        CAPTURE(name);
        CHECK(text.find(std::string("\npgbakd_") + name + "{") == std::string::npos);
    }
}

TEST_CASE("every metric has its help and type once, and samples of no other") {
    const auto text = service::metrics_text({"1", now, {full_job(), full_job()}, {}, {}, {}});
    std::size_t at = 0;
    std::set<std::string_view> names;
    for (const auto& kind : service::metric_kinds()) {
        CAPTURE(kind.name);
        CHECK(names.insert(kind.name).second);
        const auto help = text.find("# HELP " + std::string(kind.name) + " " + std::string(kind.help) + "\n");
        REQUIRE(help != std::string::npos);
        CHECK(help >= at);
        at = help;
        CHECK(text.find("# TYPE " + std::string(kind.name) + " " + std::string(kind.type) + "\n") != std::string::npos);
        CHECK(std::string_view(kind.name).ends_with("_total") == (kind.type == "counter"));
    }
}

TEST_CASE("a label's value may be anything") {
    struct Row {
        std::string_view text, value;
    };
    for (const auto& row : {Row{"plain-1.x_y", "plain-1.x_y"}, Row{"a\"b", "a\\\"b"}, Row{"a\\b", "a\\\\b"},
                            Row{"a\nb", "a\\nb"}, Row{"größe", "größe"}, Row{"\xff", "?"}, Row{"", ""}}) {
        CAPTURE(row.text);
        CHECK(service::label_value(row.text) == row.value);
    }
}
