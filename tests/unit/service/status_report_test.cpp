#include "service/status_report.hpp"

#include <boost/json.hpp>

#include "model/json.hpp"
#include "support/common.hpp"
#include "unit/config/support.hpp"

using namespace pgbakd;
using namespace std::chrono_literals;

namespace {

constexpr base::Timestamp now{std::chrono::milliseconds(1'768'003'200'000)};  // 2026-01-10T00:00:00Z

boost::json::object status(const std::map<std::string, std::shared_ptr<target::Meter>>& meters,
                           const std::map<std::string, std::uint64_t>& backlog = {}) {
    const auto config = config::testing::config_of(config::testing::with_job(""));
    const scheduler::Planner planner(base::to_instant(now));
    const std::map<std::string, std::shared_ptr<service::ActiveRun>> active;
    const service::StatusInput input{.daemon = {"1.0", 7, now - 1h, true},
                                     .config = *config,
                                     .planner = planner,
                                     .active = active,
                                     .meters = meters,
                                     .backlog = backlog,
                                     .time = now,
                                     .now = {}};
    return service::status_json(input);
}

}  // namespace

TEST_CASE("what is owed is told with its next attempt and the last failure") {
    CHECK(service::owed_json({}).empty());
    service::OwedCopy copy;
    copy.target = "r2";
    copy.job = "shop-daily";
    copy.set = "shop-daily/20260109_020000";
    copy.since = now - 22h;
    copy.bytes = 123;
    copy.attempts = 4;
    copy.next_attempt = now + 8min;
    copy.message = "no route to \xff host";
    auto fresh = copy;
    fresh.target = "nas";
    fresh.message.clear();
    const auto owed = service::owed_json({copy, fresh});
    REQUIRE(owed.size() == 2);
    const auto& first = owed[1].as_object();
    CHECK(first.at("set").as_string() == "shop-daily/20260109_020000");
    CHECK(first.at("job").as_string() == "shop-daily");
    CHECK(first.at("target").as_string() == "r2");
    CHECK(first.at("since").as_string().starts_with("2026-01-09T02:00:00"));
    CHECK(first.at("next_attempt").as_string().starts_with("2026-01-10T00:08:00"));
    CHECK(first.at("bytes").to_number<int>() == 123);
    CHECK(first.at("attempts").to_number<int>() == 4);
    CHECK(first.at("message").as_string().starts_with("no route to "));
    CHECK(owed[0].at("target") == "nas");
    CHECK(owed[0].at("message").is_null());
    CHECK(service::owed_json(std::vector<service::OwedCopy>(service::most_owed_told + 1, copy)).size() ==
          service::most_owed_told);
}

TEST_CASE("an upload is told with its rate, of what was sent in it") {
    struct Row {
        target::Meter::Sending sending;
        std::uint64_t rate;
        bool known;
        std::optional<std::chrono::seconds> left{};
    };
    for (const auto& row : {Row{{"shop/1/a.dump", 1000, 0, 5000, now - 10s}, 100, true, 40s},
                            Row{{"shop/1/a.dump", 1000, 0, std::nullopt, now - 10s}, 100, false},
                            Row{{"shop/1/a.dump", 1000, 600, 5000, now - 10s}, 40, true, 100s},  // resumed
                            Row{{"shop/1/a.dump", 600, 600, 5000, now - 10s}, 0, true},
                            Row{{"shop/1/a.dump", 500, 600, 5000, now - 10s}, 0, true},
                            Row{{"shop/1/a.dump", 1000, 0, 5000, now - 100ms}, 0, true},  // too early to tell
                            Row{{"shop/1/a.dump", 1000, 0, 5000, now + 1h}, 0, true}}) {  // the clock stepped back
        const auto meter = std::make_shared<target::Meter>();
        meter->sending[1] = row.sending;
        const auto document = status({{"r2", meter}, {"nas", std::make_shared<target::Meter>()}});
        const auto& uploads = document.at("uploads").as_array();
        REQUIRE(uploads.size() == 1);
        const auto& upload = uploads[0].as_object();
        CAPTURE(boost::json::serialize(upload));
        CHECK(upload.at("target").as_string() == "r2");
        CHECK(upload.at("object").as_string() == "shop/1/a.dump");
        CHECK(upload.at("bytes").to_number<std::uint64_t>() == row.sending.bytes);
        CHECK(upload.at("of").is_null() != row.known);
        CHECK(upload.at("rate_bytes_per_second").to_number<std::uint64_t>() == row.rate);
        CHECK(upload.at("expected_end") ==
              (row.left ? boost::json::value(model::json_time(now + *row.left)) : boost::json::value(nullptr)));
    }
    // How long it has been offered something and took nothing.
    for (const auto& [offered, idle] : {std::pair<std::optional<base::Timestamp>, std::uint64_t>{std::nullopt, 0},
                                        {now - 90500ms, 90},
                                        {now + 1h, 0}}) {
        const auto meter = std::make_shared<target::Meter>();
        meter->sending[1] = {"shop/1/a.dump", 1000, 0, 5000, now - 10min, offered};
        const auto document = status({{"r2", meter}});
        CHECK(document.at("uploads").at(0).at("idle_seconds").to_number<std::uint64_t>() == idle);
    }
    CHECK(status({{"r2", std::make_shared<target::Meter>()}}).at("uploads").as_array().empty());
}

TEST_CASE("alerts that wait are told for each channel, and in all") {
    CHECK(status({}).at("alerts").at("waiting") == 0);
    const auto document = status({}, {{"discord", 3}, {"mail", 2}});
    CHECK(document.at("alerts").at("waiting") == 5);
    CHECK(document.at("alerts").at("channels").at("discord") == 3);
}

TEST_CASE("a job is told with its newest set, wherever that is, and with what was found of it") {
    const auto config = config::testing::config_of(config::testing::with_job(""));
    const auto& job = *config->jobs.front();
    const auto told = [&job](const service::JobFacts& facts, std::optional<base::Instant> next,
                             const std::vector<const model::Finding*>& findings) {
        return boost::json::parse(service::job_text(job, facts, next, findings)).as_object();
    };
    service::JobFacts facts;
    auto entry = told(facts, std::nullopt, {});
    CHECK(entry.at("job").as_string() == job.name);
    for (const auto* key : {"last_success", "problem", "newest_set", "next"}) CHECK(entry.at(key).is_null());
    CHECK(entry.at("findings").as_array().empty());
    facts.last_success = now;
    facts.newest_local = {job.name + "/20260109_020000", now - 22h, 5min, 100, "decoded"};
    facts.newest_copy = {job.name + "/20260108_020000", now - 46h, {}, 90, "decoded"};
    model::Finding finding;
    finding.key = {model::FindingKind::size_changed, job.name, "local"};
    finding.message = "half as large";
    finding.opened_at = now - 1h;
    entry = told(facts, base::to_instant(now + 2h), {&finding});
    CHECK(entry.at("newest_set").at("size_bytes") == 100);
    CHECK(model::parse_time(std::string_view(entry.at("next").as_string())).value() == now + 2h);
    CHECK(entry.at("findings").at(0).at("kind") == "size_changed");
    CHECK(entry.at("findings").at(0).at("severity") == "warning");
    facts.problem = "opening it: Permission denied";
    CHECK(told(facts, std::nullopt, {}).at("problem") == "opening it: Permission denied");
    facts.newest_copy->started_at = now;  // without a local copy of it
    CHECK(told(facts, std::nullopt, {}).at("newest_set").at("size_bytes") == 90);
}

TEST_CASE("places are told with what is there and by which rules it is kept") {
    const auto config = config::testing::config_of(config::testing::with_job("retention: {local: {days: 30}}"));
    const auto& name = config->jobs.front()->name;
    service::Facts known({name});
    auto local = service::places_json(*config, known).at(0).as_object();
    CHECK(local.at("place") == "local");
    CHECK(local.at("count").is_null());  // not counted yet
    service::JobFacts facts;
    facts.local = service::PlaceTotal{3, 300};
    known.put(name, facts);
    const auto places = service::places_json(*config, known);
    local = places.at(0).as_object();
    CHECK(local.at("count") == 3);
    CHECK(local.at("bytes") == 300);
    CHECK(local.at("retention").at(0).at("rules").at("days") == 30);
    CHECK(local.at("retention").at(0).at("jobs") == 1);
}
