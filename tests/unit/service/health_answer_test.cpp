#include "service/health_answer.hpp"

#include <boost/json.hpp>

#include "support/common.hpp"
#include "unit/config/support.hpp"

using namespace pgbakd;
using namespace std::chrono_literals;

namespace {

constexpr base::Timestamp now{std::chrono::milliseconds(1'768'003'200'000)};

// Of a configuration with the job "j".
service::HealthVerdict verdict(bool ready, bool stopping, const std::vector<model::FindingKind>& kinds) {
    std::vector<model::Finding> findings;
    for (const auto kind : kinds) {
        model::Finding finding;
        finding.key = {kind, "j", "local"};
        finding.message = "something";
        findings.push_back(finding);
    }
    const auto config = config::testing::config_of(config::testing::with_job(""));
    return service::decide_health({{"1.0", 7, now - 90s, ready}, stopping, 3, 1, now, {}}, findings, *config);
}

}  // namespace

TEST_CASE("healthy is who is ready and lacks no good set") {
    using model::FindingKind;
    CHECK(verdict(true, false, {}).healthy);
    CHECK_FALSE(verdict(false, false, {}).healthy);
    CHECK_FALSE(verdict(true, true, {}).healthy);
    CHECK_FALSE(verdict(true, false, {FindingKind::too_old}).healthy);
    CHECK(verdict(true, false, {FindingKind::size_changed, FindingKind::disk_usage}).healthy);
}

TEST_CASE("what is told of health") {
    const auto facts = verdict(true, false, {model::FindingKind::too_old, model::FindingKind::disk_usage}).facts;
    CHECK(facts.at("healthy") == false);
    CHECK(facts.at("ready") == true);
    CHECK(facts.at("uptime_seconds") == 90);
    CHECK(facts.at("jobs") == 3);
    CHECK(facts.at("running") == 1);
    CHECK(facts.at("checked_at").is_null());
    CHECK(facts.at("too_old") == 1);
    CHECK(facts.at("too_old_jobs").at(0) == "j");
    CHECK(facts.at("problems").as_array().size() == 1);
    CHECK(facts.at("problems").at(0).at("kind") == "too_old");
    const auto many = verdict(true, false, std::vector<model::FindingKind>(1000, model::FindingKind::too_old)).facts;
    CHECK(many.at("problems").as_array().size() == 100);
}
