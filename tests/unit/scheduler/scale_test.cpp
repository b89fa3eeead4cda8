// A hundred thousand jobs: bounds that hold on any machine. The time it takes is for tests/bench.
#include <malloc.h>

#include "support.hpp"

namespace pgbakd::scheduler::test {
namespace {

constexpr std::size_t many = 100'000;

std::vector<PlannedJob> many_jobs(std::string_view schedule) {
    const auto parsed = calendar::Schedule::parse(schedule).value();
    std::vector<PlannedJob> jobs;
    jobs.reserve(many);
    for (std::size_t i = 0; i < many; ++i)
        jobs.push_back({"a-job-with-a-rather-long-name-" + std::to_string(i),
                        parsed,
                        calendar::Zone::utc(),
                        {},
                        model::Overlap::skip,
                        std::chrono::seconds(i % 7)});
    return jobs;
}

TEST_CASE("100,000 fires due in a few seconds are handed out in the order of time, each once") {
    Planner planner(at("2026-01-01 00:00"));
    CHECK(planner.load(many_jobs("daily at 02:00"), {}, at("2026-03-10 00:00")).size() == many);
    const auto actions = planner.on_time(at("2026-03-10 02:00:10"));
    REQUIRE(actions.size() == many);
    std::set<std::string_view> started;
    std::size_t before = 0;
    bool in_order = true;
    for (const auto& action : actions) {
        const auto& start = std::get<Start>(action);
        const auto number = static_cast<std::size_t>(std::stoul(start.job.substr(start.job.rfind('-') + 1)));
        const auto place = number % 7 * many + number;  // by offset, then as configured
        in_order = in_order && place >= before;
        before = place;
        started.insert(start.job);
    }
    CHECK(in_order);
    CHECK(started.size() == many);
    CHECK(planner.on_time(at("2026-03-10 02:00:11")).empty());
    CHECK(planner.next_wake() == at("2026-03-11 02:00"));
}

// Of memory that is in use. What is resident is more by what lies unused between: 1024 is the promise, see tests/bench.
TEST_CASE("a job costs less than 700 bytes, its name and a schedule of its own included") {
    constexpr std::size_t some = 5'000;
    for (const auto* text :
         {"daily at 02:00", "weekdays at 00:00, 12:00", "twice-daily at 01:00, 13:00", "weekly on sunday at 02:00",
          "monthly on last-day at 03:00", "yearly on 12-31 at 23:00", "every 6 hours", "every 15 minutes", "* * * * *",
          "*/20 2 * * 1-5", "0 3 1,15 * 5L", "calendar Mon..Fri *-*~03 02:30:30"}) {
        INFO(text);
        const auto zone = calendar::Zone::utc();
        const auto before = ::mallinfo2().uordblks;  // stays 0 under sanitizers, which bring an allocator of their own
        Planner planner(at("2026-01-01 00:00"));
        {
            std::vector<PlannedJob> jobs;
            for (std::size_t i = 0; i < some; ++i)
                jobs.push_back({"a-job-with-a-rather-long-name-" + std::to_string(i),
                                calendar::Schedule::parse(text).value(),
                                zone,
                                {},
                                model::Overlap::skip,
                                {}});
            CHECK(planner.load(std::move(jobs), {}, at("2026-03-10 00:00")).size() == some);
        }
        const auto after = ::mallinfo2().uordblks;
        CHECK((after <= before || (after - before) / some < 700));
    }
}

}  // namespace
}  // namespace pgbakd::scheduler::test
