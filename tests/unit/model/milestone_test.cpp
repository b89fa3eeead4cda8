#include "model/milestone.hpp"

#include "model/names.hpp"
#include "support/catch.hpp"

namespace pgbakd::model {
namespace {

std::vector<Milestone> dates(std::initializer_list<const char*> texts) {
    std::vector<Milestone> result;
    for (const auto* text : texts) result.push_back({std::string("m") + text, parse_milestone_date(text).value()});
    return result;
}

base::Instant at(const char* rfc3339) {
    return calendar::parse_rfc3339(rfc3339).value();
}

TEST_CASE("the key of a timetable reads back") {
    const auto utc = calendar::Zone::utc();
    for (const auto* text : {"daily at 02:00", "calendar *-*-* 02:00:00 UTC", "0 2 * * *", "milestone"}) {
        const auto schedule = calendar::Schedule::parse(text).value();
        const auto key = timetable_key(schedule, *utc, {});
        CHECK(key == calendar::schedule_key(schedule, *utc));
        const auto read = read_timetable_key(key);
        REQUIRE(read);
        CHECK(read->schedule == schedule);
        CHECK(read->zone == "UTC");
        CHECK(read->milestones.empty());
    }
    const auto milestone = calendar::Schedule::parse("milestone").value();
    const auto key = timetable_key(milestone, *utc, dates({"2027-02-01 02:00", "2026-12-01 02:30"}));
    CHECK(key == "milestone [UTC] 2026-12-01 02:30, 2027-02-01 02:00");
    const auto read = read_timetable_key(key);
    REQUIRE(read);
    CHECK(timetable_key(read->schedule, *utc, read->milestones) == key);
    for (const auto* wrong : {"", "daily at 02:00", "daily at 02:00 [UTC", "nonsense [UTC]", "milestone [UTC] soon",
                              "milestone [UTC]x", "milestone [UTC] 2026-12-01 02:30,"})
        CHECK_FALSE(read_timetable_key(wrong));
}

TEST_CASE("dates are looked up forwards, backwards and by name") {
    const auto utc = calendar::Zone::utc();
    const auto all = dates({"2027-02-01 02:00", "2026-12-01 02:30"});
    CHECK(next_milestone(all, at("2026-01-01T00:00:00Z"), *utc) == at("2026-12-01T02:30:00Z"));
    CHECK(next_milestone(all, at("2026-12-01T02:30:00Z"), *utc) == at("2027-02-01T02:00:00Z"));
    CHECK_FALSE(next_milestone(all, at("2027-02-01T02:00:00Z"), *utc));
    CHECK(latest_milestone(all, base::Instant::min(), at("2030-01-01T00:00:00Z"), *utc) == at("2027-02-01T02:00:00Z"));
    CHECK_FALSE(latest_milestone(all, at("2027-02-01T02:00:00Z"), at("2030-01-01T00:00:00Z"), *utc));
    CHECK(milestone_name(all, at("2026-12-01T02:30:00Z"), *utc) == "m2026-12-01 02:30");
    CHECK(milestone_name(all, at("2026-12-01T03:30:00Z"), *utc) == "m2026-12-01 02:30");
    CHECK(milestone_name({}, at("2026-12-01T03:30:00Z"), *utc).empty());
}

TEST_CASE("a milestone's set is named after it") {
    const auto name = set_name(at("2026-12-01T02:30:00Z"), *calendar::Zone::utc(), "mvp_complete");
    CHECK(name == "20261201_023000_mvp_complete");
    CHECK(is_set_name(name));
}

}  // namespace
}  // namespace pgbakd::model
