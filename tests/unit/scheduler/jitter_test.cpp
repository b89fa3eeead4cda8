#include "scheduler/jitter.hpp"

#include "support/common.hpp"

namespace pgbakd::scheduler {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

TEST_CASE("the offset of a host and a job never changes") {
    struct Row {
        const char* host;
        const char* job;
        std::chrono::milliseconds jitter;
        seconds offset;
    };
    for (const auto& row :
         {Row{"db1", "nightly", minutes(5), seconds(16)}, Row{"db2", "nightly", minutes(5), seconds(32)},
          Row{"db1", "weekly", minutes(5), seconds(149)}, Row{"", "", minutes(60), seconds(208)}})
        CHECK(jitter_offset(row.host, row.job, row.jitter) == row.offset);
}

TEST_CASE("the offset lies in [0, jitter)") {
    CHECK(jitter_offset("h", "j", std::chrono::milliseconds(0)) == seconds(0));
    CHECK(jitter_offset("h", "j", std::chrono::milliseconds(-5)) == seconds(0));
    CHECK(jitter_offset("h", "j", std::chrono::milliseconds(999)) == seconds(0));
    for (int host = 0; host < 1000; ++host) {
        const auto offset = jitter_offset("db" + std::to_string(host), "j", seconds(90));
        CHECK((offset >= seconds(0) && offset < seconds(90)));
    }
}

TEST_CASE("a fleet of hosts with names alike spreads out") {
    std::map<std::int64_t, int> per_minute;
    for (int host = 0; host < 6000; ++host)
        ++per_minute[jitter_offset("db" + std::to_string(host), "nightly", minutes(60)).count() / 60];
    CHECK(per_minute.size() == 60);
    // 100 expected in each minute; five standard deviations either way.
    for (const auto& [minute, hosts] : per_minute) {
        INFO("minute " << minute);
        CHECK((hosts > 50 && hosts < 150));
    }
}

TEST_CASE("where the host ends and the job begins matters") {
    CHECK(jitter_offset("a", "bc", std::chrono::hours(20)) != jitter_offset("ab", "c", std::chrono::hours(20)));
}

}  // namespace
}  // namespace pgbakd::scheduler
