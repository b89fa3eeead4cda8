#include "service/status_report.hpp"

#include <boost/json/serialize.hpp>

#include "model/json.hpp"
#include "support/common.hpp"
#include "unit/config/support.hpp"

using namespace pgbakd;
using namespace std::chrono_literals;

namespace {

constexpr base::Timestamp now{std::chrono::milliseconds(1'768'003'200'000)};  // 2026-01-10T00:00:00Z

boost::json::object status(std::vector<catalog::Copy> owed,
                           const std::map<std::string, std::shared_ptr<target::Meter>>& meters) {
    const auto config = config::testing::config_of(config::testing::with_job(""));
    const scheduler::Planner planner(base::to_instant(now));
    const std::map<std::string, std::shared_ptr<service::ActiveRun>> active;
    const service::StatusInput input{.daemon = {"1.0", 7, now - 1h, true},
                                     .config = *config,
                                     .planner = planner,
                                     .active = active,
                                     .last_success = {},
                                     .newest = {},
                                     .owed = std::move(owed),
                                     .meters = meters,
                                     .time = now,
                                     .now = {}};
    return service::status_json(input);
}

}  // namespace

TEST_CASE("what is owed is told with its next attempt and the last failure") {
    CHECK(status({}, {}).at("owed").as_array().empty());
    catalog::Copy copy;
    copy.target = "r2";
    copy.id = {"shop-daily", "20260109_020000"};
    copy.owed = true;
    copy.since = now - 22h;
    copy.bytes = 123;
    copy.attempts = 4;
    copy.next_attempt = now + 8min;
    copy.message = "no route to \xff host";
    auto fresh = copy;
    fresh.target = "nas";
    fresh.message.clear();
    const auto document = status({copy, fresh}, {});
    const auto& owed = document.at("owed").as_array();
    REQUIRE(owed.size() == 2);
    const auto& first = owed[0].as_object();
    CHECK(first.at("set").as_string() == "shop-daily/20260109_020000");
    CHECK(first.at("job").as_string() == "shop-daily");
    CHECK(first.at("target").as_string() == "r2");
    CHECK(first.at("since").as_string().starts_with("2026-01-09T02:00:00"));
    CHECK(first.at("next_attempt").as_string().starts_with("2026-01-10T00:08:00"));
    CHECK(first.at("bytes").to_number<int>() == 123);
    CHECK(first.at("attempts").to_number<int>() == 4);
    CHECK(first.at("message").as_string().starts_with("no route to "));
    CHECK(owed[1].at("message").is_null());
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
        const auto document = status({}, {{"r2", meter}, {"nas", std::make_shared<target::Meter>()}});
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
    CHECK(status({}, {{"r2", std::make_shared<target::Meter>()}}).at("uploads").as_array().empty());
}
