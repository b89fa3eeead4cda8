#include "retention/plan.hpp"

#include "calendar/zone_database.hpp"
#include "support/common.hpp"

using namespace pgbakd;
using retention::Candidate;
using retention::Decision;

namespace {

calendar::ZonePtr zone(const std::string& name) {
    return calendar::ZoneDatabase(std::filesystem::path(PGBAKD_TEST_DATA) / "zoneinfo").find(name).value();
}

base::Timestamp at(std::string_view text) {
    return calendar::parse_rfc3339(text).value();
}

// A good set that began then, named by UTC.
Candidate good(std::string_view started_at) {
    Candidate candidate;
    candidate.started_at = at(started_at);
    candidate.id = {"shop", calendar::format_compact(base::to_instant(candidate.started_at), *calendar::Zone::utc())};
    return candidate;
}

Candidate incomplete(std::string_view started_at) {
    auto candidate = good(started_at);
    candidate.complete = false;
    return candidate;
}

Candidate corrupt(std::string_view started_at) {
    auto candidate = good(started_at);
    candidate.corrupt = true;
    return candidate;
}

Candidate undecoded(std::string_view started_at) {
    auto candidate = good(started_at);
    candidate.verified = model::Verification::read_back;
    return candidate;
}

// One good set a day at 02:00Z, `days` of them, the last on 2026-01-31.
std::vector<Candidate> daily(int days) {
    std::vector<Candidate> sets;
    for (int i = 0; i < days; ++i) {
        auto candidate = good("2026-01-31T02:00:00Z");
        candidate.started_at -= std::chrono::days(i);
        candidate.id.set = calendar::format_compact(base::to_instant(candidate.started_at), *calendar::Zone::utc());
        sets.push_back(candidate);
    }
    return sets;
}

const base::Timestamp now = at("2026-01-31T02:00:05Z");

model::RetentionPolicy policy(int at_least = 2) {
    model::RetentionPolicy result;
    result.at_least = at_least;
    return result;
}

std::vector<std::string> kept(const std::vector<Decision>& decisions) {
    std::vector<std::string> result;
    for (const auto& decision : decisions)
        if (decision.keep) result.push_back(decision.id.set);
    return result;
}

std::string reason_of(const std::vector<Decision>& decisions, const std::string& set) {
    for (const auto& decision : decisions)
        if (decision.id.set == set) return (decision.keep ? "keep: " : "delete: ") + decision.reason;
    return "no decision";
}

std::vector<Decision> plan(const std::vector<Candidate>& sets, const model::RetentionPolicy& rules) {
    return retention::plan(sets, rules, now, *calendar::Zone::utc());
}

}  // namespace

TEST_CASE("days are 24 hours each, to the second") {
    auto rules = policy();
    rules.days = 7;
    const auto decisions =
        plan({good("2026-01-31T02:00:00Z"), good("2026-01-30T02:00:00Z"), good("2026-01-24T02:00:05Z"),
              good("2026-01-24T02:00:04Z"), good("2026-01-01T00:00:00Z")},
             rules);
    CHECK(kept(decisions) == std::vector<std::string>{"20260131_020000", "20260130_020000", "20260124_020005"});
    CHECK(reason_of(decisions, "20260124_020005") == "keep: newer than 7 days");
    CHECK(reason_of(decisions, "20260124_020004") == "delete: older than 7 days; 3 newer good sets remain");

    rules = policy();
    rules.weeks = 1;
    CHECK(plan(daily(40), rules).at(6).reason == "newer than 1 week");
    CHECK(kept(plan(daily(40), rules)).size() == 7);
}

TEST_CASE("the last N") {
    auto rules = policy(1);
    rules.last = 3;
    const auto decisions = plan(daily(5), rules);
    CHECK(kept(decisions).size() == 3);
    CHECK(reason_of(decisions, "20260129_020000") == "keep: one of the 3 newest (last: 3)");
    CHECK(reason_of(decisions, "20260128_020000") == "delete: not among the 3 newest; 3 newer good sets remain");
}

TEST_CASE("the newest of each day, week, month and year") {
    auto rules = policy(1);
    rules.daily = 2;
    rules.weekly = 4;
    rules.monthly = 3;
    rules.yearly = 2;
    auto sets = daily(400);
    const auto decisions = plan(sets, rules);
    CHECK(kept(decisions) == std::vector<std::string>{"20260131_020000", "20260130_020000", "20260125_020000",
                                                      "20260118_020000", "20260111_020000", "20251231_020000",
                                                      "20251130_020000"});
    CHECK(reason_of(decisions, "20260131_020000") ==
          "keep: newest of 2026-01-31 (daily: 2); newest of 2026-W05 (weekly: 4); newest of 2026-01 (monthly: 3); "
          "newest of 2026 (yearly: 2)");
    CHECK(reason_of(decisions, "20260118_020000") == "keep: newest of 2026-W03 (weekly: 4)");
    CHECK(reason_of(decisions, "20251231_020000") ==
          "keep: newest of 2025-12 (monthly: 3); newest of 2025 (yearly: 2)");
    CHECK(reason_of(decisions, "20260117_020000") ==
          "delete: not the newest of a day that is kept (daily: 2), not the newest of a week that is kept (weekly: 4), "
          "not the newest of a month that is kept (monthly: 3), not the newest of a year that is kept (yearly: 2); "
          "4 newer good sets remain");
}

TEST_CASE("weeks begin on Monday and belong to the year of their Thursday") {
    auto rules = policy(1);
    rules.weekly = 60;
    struct Row {
        const char* day;
        const char* week;
    };
    for (const auto& [day, week] : std::vector<Row>{{"2025-12-28T12:00:00Z", "2025-W52"},
                                                    {"2025-12-29T12:00:00Z", "2026-W01"},
                                                    {"2026-01-04T12:00:00Z", "2026-W01"},
                                                    {"2026-01-05T12:00:00Z", "2026-W02"},
                                                    {"2021-01-03T12:00:00Z", "2020-W53"},
                                                    {"2021-01-04T12:00:00Z", "2021-W01"},
                                                    {"2024-12-30T12:00:00Z", "2025-W01"}})
        CHECK(plan({good(day)}, rules).at(0).reason == std::string("newest of ") + week + " (weekly: 60)");
}

TEST_CASE("periods are those of the job's zone") {
    auto rules = policy(1);
    rules.daily = 5;
    // 15:59Z and 16:00Z are two days in Shanghai, 22:30Z and 23:30Z are two days in Berlin.
    const std::vector<Candidate> sets{good("2026-01-30T22:30:00Z"), good("2026-01-30T16:00:00Z"),
                                      good("2026-01-30T15:59:59Z"), good("2026-01-29T23:30:00Z"),
                                      good("2026-01-29T22:30:00Z")};
    CHECK(kept(retention::plan(sets, rules, now, *zone("Asia/Shanghai"))) ==
          std::vector<std::string>{"20260130_223000", "20260130_155959"});
    CHECK(kept(retention::plan(sets, rules, now, *zone("Europe/Berlin"))) ==
          std::vector<std::string>{"20260130_223000", "20260129_223000"});
    CHECK(kept(retention::plan(sets, rules, now, *calendar::Zone::utc())) ==
          std::vector<std::string>{"20260130_223000", "20260129_233000"});
}

TEST_CASE("a pause in the backups loses nothing") {
    auto rules = policy(1);
    rules.daily = 3;
    CHECK(kept(plan({good("2026-01-31T02:00:00Z"), good("2025-11-02T02:00:00Z"), good("2025-11-01T02:00:00Z"),
                     good("2025-10-31T02:00:00Z")},
                    rules)) == std::vector<std::string>{"20260131_020000", "20251102_020000", "20251101_020000"});
}

TEST_CASE("the newest good sets stay, whatever the rules say") {
    auto rules = policy(3);
    rules.days = 1;
    const auto decisions =
        plan({good("2025-06-01T02:00:00Z"), good("2025-05-01T02:00:00Z"), good("2025-04-01T02:00:00Z"),
              good("2025-03-01T02:00:00Z"), incomplete("2026-01-30T02:00:00Z"), corrupt("2026-01-29T02:00:00Z"),
              undecoded("2026-01-28T02:00:00Z")},
             rules);
    CHECK(reason_of(decisions, "20250401_020000") == "keep: one of the 3 newest good sets");
    CHECK(reason_of(decisions, "20250301_020000") == "delete: older than 1 day; 3 newer good sets remain");

    rules = policy(0);
    rules.last = 0;
    CHECK(plan(daily(2), rules).at(0).reason == "the newest good set");
    CHECK(kept(plan(daily(2), rules)).size() == 1);
}

TEST_CASE("without a rule everything stays") {
    const auto decisions = plan(daily(50), policy());
    CHECK(kept(decisions).size() == 50);
    CHECK(decisions.at(40).reason == "no retention rule is set");
}

TEST_CASE("pinned sets, milestones and held ones stay") {
    auto rules = policy(1);
    rules.last = 1;
    auto sets = daily(5);
    sets.at(1).pinned = true;
    sets.at(2).milestone = true;
    sets.at(3).held_by = {"a copy owed to r2", "a drill"};
    sets.at(4).corrupt = true;
    sets.at(4).pinned = true;
    const auto decisions = plan(sets, rules);
    CHECK(kept(decisions).size() == 5);
    CHECK(decisions.at(1).reason == "pinned");
    CHECK(decisions.at(2).reason == "a milestone");
    CHECK(decisions.at(3).reason == "held by a copy owed to r2; held by a drill");
    CHECK(decisions.at(4).reason == "pinned");
}

TEST_CASE("an incomplete set stays until a good one has followed it") {
    auto rules = policy();
    rules.days = 30;
    auto decisions = plan({incomplete("2026-01-31T02:00:00Z"), good("2026-01-30T02:00:00Z"),
                           incomplete("2026-01-29T02:00:00Z"), good("2026-01-28T02:00:00Z")},
                          rules);
    CHECK(reason_of(decisions, "20260131_020000") == "keep: incomplete, and no complete set has followed it yet");
    CHECK(reason_of(decisions, "20260129_020000") ==
          "delete: incomplete, and a complete set has followed it: 20260130_020000");
    // A corrupt follower is no reason.
    decisions = plan({corrupt("2026-01-31T02:00:00Z"), incomplete("2026-01-29T02:00:00Z")}, rules);
    CHECK(kept(decisions).size() == 2);
}

TEST_CASE("a corrupt or undecoded set stays until enough good ones have followed it") {
    auto rules = policy(2);
    rules.last = 10;
    auto decisions =
        plan({good("2026-01-31T02:00:00Z"), corrupt("2026-01-30T02:00:00Z"), undecoded("2026-01-29T02:00:00Z"),
              good("2026-01-28T02:00:00Z"), corrupt("2026-01-27T02:00:00Z"), undecoded("2026-01-26T02:00:00Z")},
             rules);
    CHECK(reason_of(decisions, "20260130_020000") == "keep: found corrupt, but only 1 of 2 good sets have followed it");
    CHECK(reason_of(decisions, "20260129_020000") ==
          "keep: never decoded to its end, but only 1 of 2 good sets have followed it");
    CHECK(reason_of(decisions, "20260127_020000") == "delete: found corrupt; 2 newer good sets remain");
    CHECK(reason_of(decisions, "20260126_020000") == "delete: never decoded to its end; 2 newer good sets remain");
}

TEST_CASE("a set of which a part is gone counts for nothing, and goes once enough good ones have followed it") {
    auto rules = policy(1);
    rules.last = 1;
    auto newest = good("2026-01-31T02:00:00Z"), oldest = good("2026-01-29T02:00:00Z");
    newest.lacking = oldest.lacking = true;
    const auto decisions = plan({newest, good("2026-01-30T02:00:00Z"), oldest}, rules);
    CHECK(reason_of(decisions, "20260131_020000") == "keep: not whole, but only 0 of 1 good sets have followed it");
    CHECK(reason_of(decisions, "20260130_020000") == "keep: the newest (last: 1)");
    CHECK(reason_of(decisions, "20260129_020000") == "delete: not whole; 1 newer good set remains");
}

TEST_CASE("sets of the future stay and count for nothing") {
    auto rules = policy(1);
    rules.last = 1;
    const auto decisions =
        plan({good("2026-02-01T00:00:00Z"), good("2026-01-31T02:00:00Z"), incomplete("2026-01-30T02:00:00Z")}, rules);
    CHECK(reason_of(decisions, "20260201_000000") == "keep: began in the future by this clock");
    CHECK(reason_of(decisions, "20260131_020000") == "keep: the newest (last: 1)");
}

TEST_CASE("failed runs for weeks delete nothing that is good") {
    // Weeks of bad sets after the last two good ones, as when a disk or a network goes bad unnoticed.
    auto rules = policy(2);
    rules.days = 7;
    std::vector<Candidate> sets{good("2025-12-01T02:00:00Z"), good("2025-12-02T02:00:00Z")};
    for (auto bad : daily(30)) {
        bad.corrupt = bad.started_at.time_since_epoch().count() % 2 == 0;
        bad.complete = bad.corrupt;
        sets.push_back(bad);
    }
    const auto decisions = plan(sets, rules);
    CHECK(reason_of(decisions, "20251201_020000") == "keep: one of the 2 newest good sets");
    CHECK(reason_of(decisions, "20251202_020000") == "keep: one of the 2 newest good sets");
}

TEST_CASE("sets of one second follow each other by their milliseconds, then by their numbers") {
    struct Set {
        const char* name;
        int milliseconds;
    };
    struct Row {
        std::vector<Set> sets;
        const char* kept;
    };
    auto rules = policy(1);
    rules.last = 1;
    for (const auto& [sets, newest] : std::vector<Row>{
             {{{"20260131_020000", 900}, {"20260131_020000-2", 100}}, "20260131_020000"},
             {{{"20260131_020000", 100}, {"20260131_020000-2", 900}}, "20260131_020000-2"},
             {{{"20260131_020000-9", 5}, {"20260131_020000-10", 5}}, "20260131_020000-10"},
             {{{"20260131_020000", 5}, {"20260131_020000-2", 5}}, "20260131_020000-2"},
             {{{"20260131_020000-99", 4}, {"20260131_020000", 5}}, "20260131_020000"},
         }) {
        std::vector<Candidate> candidates;
        for (const auto& [name, milliseconds] : sets) {
            candidates.push_back(good("2026-01-31T02:00:00Z"));
            candidates.back().id.set = name;
            candidates.back().started_at += std::chrono::milliseconds(milliseconds);
        }
        CHECK(kept(plan(candidates, rules)) == std::vector<std::string>{newest});
        std::reverse(candidates.begin(), candidates.end());
        CHECK(kept(plan(candidates, rules)) == std::vector<std::string>{newest});
    }
}

TEST_CASE("a set of this very second is not from the future") {
    auto rules = policy(1);
    rules.last = 1;
    auto newest = good("2026-01-31T02:00:05Z");
    newest.started_at += std::chrono::milliseconds(400);
    const auto plan_at = [&](int milliseconds) {
        return retention::plan({newest, good("2026-01-31T01:00:00Z")}, rules,
                               now + std::chrono::milliseconds(milliseconds), *calendar::Zone::utc());
    };
    CHECK(kept(plan_at(500)) == std::vector<std::string>{newest.id.set});
    CHECK(kept(plan_at(399)).size() == 2);
    CHECK(plan_at(399).at(0).reason == "began in the future by this clock");
}

TEST_CASE("a hundred thousand sets are planned at once") {
    auto rules = policy();
    rules.daily = 30;
    rules.monthly = 12;
    std::vector<Candidate> sets;
    for (int i = 0; i < 100'000; ++i) {
        auto candidate = good("2026-01-31T02:00:00Z");
        candidate.started_at -= std::chrono::minutes(17 * i);
        sets.push_back(candidate);
    }
    CHECK(plan(sets, rules).size() == sets.size());
}
