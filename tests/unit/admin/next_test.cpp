// The coming fires.
#include "admin/fires.hpp"
#include "support.hpp"

using namespace pgbakd;
using namespace pgbakd::admin;
using namespace pgbakd::admin::testing;

TEST_CASE("next --json has the keys that scripts rely on, and no others") {
    Machine machine;
    const auto ran = machine.run({"--json", "next", "shop-daily", "-n", "2"});
    CHECK(ran.exit == 0);
    CHECK(boost::json::serialize(ran.json()) ==
          R"({"jobs":[{"job":"shop-daily","schedule":"daily at 02:00","timezone":"Europe/Berlin","never":false,)"
          R"("fires":[{"utc":"2026-01-20T01:00:00Z","local":"2026-01-20T02:00:00+01:00"},)"
          R"({"utc":"2026-01-21T01:00:00Z","local":"2026-01-21T02:00:00+01:00"}]}]})");
}

TEST_CASE("next crosses a change of clocks as the schedule's rules say") {
    Machine machine;
    const auto ran = machine.run({"--json", "next", "--schedule", "daily at 02:30", "--timezone", "Europe/Berlin",
                                  "--after", "2026-03-28T12:00:00+01:00", "-n", "2"});
    CHECK(boost::json::serialize(ran.json().at("jobs").at(0).at("fires")) ==
          R"([{"utc":"2026-03-29T01:00:00Z","local":"2026-03-29T03:00:00+02:00"},)"
          R"({"utc":"2026-03-30T00:30:00Z","local":"2026-03-30T02:30:00+02:00"}])");
}

TEST_CASE("next without a job shows all of them, for people with the time until then") {
    Machine machine;
    const auto ran = machine.run({"next", "-n", "1"});
    CHECK(ran.out ==
          "shop-daily: daily at 02:00 (Europe/Berlin)\n"
          "  2026-01-20 02:00 CET   2026-01-20T01:00:00Z   in 1 h\n"
          "all: every 6 hours (UTC)\n"
          "  2026-01-20 06:00 UTC   2026-01-20T06:00:00Z   in 6 h\n");
    CHECK(machine.run({"--json", "next"}).json().at("jobs").at(1).at("fires").as_array().size() == 10);
}

TEST_CASE("what never fires says so") {
    Machine machine;
    const auto ran = machine.run({"--json", "next", "--schedule", "0 0 30 2 *"});
    CHECK(ran.exit == 0);
    const auto job = ran.json().at("jobs").at(0).as_object();
    CHECK(job.at("never").as_bool());
    CHECK(job.at("fires").as_array().empty());
    CHECK(text(job.at("job")) == "");
    CHECK(contains(machine.run({"next", "--schedule", "0 0 30 2 *"}).out, "never fires"));
    CHECK(contains(machine.run({"next", "--schedule", "once at 2020-01-01 00:00"}).out, "no fire to come"));
    CHECK(contains(machine.run({"next", "--schedule", "once at 2199-06-01 02:00", "--timezone", "UTC"}).out,
                   "no fire in the next 100 years, the first after them is 2199-06-01 02:00 UTC"));
    for (const auto& [schedule, never] :
         {std::pair{"once at 2020-01-01 00:00", true}, std::pair{"calendar 2025-*-* 02:00", true},
          std::pair{"once at 2027-01-01 00:00", false}, std::pair{"on change", false}}) {
        INFO(schedule);
        const auto told = machine.run({"--json", "next", "--schedule", schedule}).json().at("jobs").at(0).as_object();
        CHECK(told.at("never").as_bool() == never);
        CHECK(told.at("fires").as_array().empty() == (never || std::string(schedule) == "on change"));
    }
}

TEST_CASE("a job that is not there is not found, with the nearest name") {
    Machine machine;
    const auto ran = machine.run({"next", "shop-dayly"});
    CHECK(ran.exit == 6);
    CHECK(ran.err == "pgbakctl: there is no job \"shop-dayly\"\n  hint: did you mean shop-daily?\n");
}

TEST_CASE("next --schedule needs no configuration") {
    Machine machine;
    std::filesystem::remove(machine.config_file());
    CHECK(machine.run({"next", "--schedule", "hourly", "-n", "1"}).exit == 0);
    CHECK(machine.run({"next"}).exit == 3);
}

TEST_CASE("distances are told as people tell them") {
    const auto now = base::to_instant(at("2026-01-20T00:00:00Z"));
    using namespace std::chrono_literals;
    const std::vector<std::pair<std::chrono::seconds, std::string>> rows{
        {0s, "now"},        {45s, "in 45 s"},     {90s, "in 1 min 30 s"}, {3h + 12min + 8s, "in 3 h 12 min"},
        {-30s, "30 s ago"}, {-5min, "5 min ago"}, {72h, "in 3 d"},
    };
    for (const auto& [distance, text] : rows) CHECK(distance_text(now, now + distance) == text);
}

TEST_CASE("the dates of a milestone job are its fires, with their names for people") {
    Machine machine;
    machine.configure(
        "  releases:\n"
        "    schedule: milestone\n"
        "    timezone: Europe/Berlin\n"
        "    milestones: [{name: late, at: 2026-06-01 02:00}, {name: gap, at: 2026-03-29 02:30}, {name: old, at: "
        "2025-01-01 02:00}]\n"
        "    source: {type: pg_dump, server: local, databases: all}\n"
        "  bare:\n"
        "    schedule: milestone\n"
        "    source: {type: pg_dump, server: local, databases: all}\n");
    CHECK(boost::json::serialize(machine.run({"--json", "next", "releases"}).json()) ==
          R"({"jobs":[{"job":"releases","schedule":"milestone","timezone":"Europe/Berlin","never":false,)"
          R"("fires":[{"utc":"2026-03-29T01:00:00Z","local":"2026-03-29T03:00:00+02:00"},)"
          R"({"utc":"2026-06-01T00:00:00Z","local":"2026-06-01T02:00:00+02:00"}]}]})");
    CHECK(machine.run({"next", "releases", "-n", "1"}).out ==
          "releases: milestone (Europe/Berlin)\n"
          "  2026-03-29 03:00 CEST   2026-03-29T01:00:00Z   in 68 d 1 h   gap\n");
    const auto over = machine.run({"--json", "next", "releases", "--after", "2026-06-01T00:00:00Z"}).json();
    CHECK(over.at("jobs").at(0).at("never").as_bool());
    CHECK(over.at("jobs").at(0).at("fires").as_array().empty());
    CHECK(machine.run({"next", "bare"}).out == "bare: milestone: by name, on request\n");
    CHECK(machine.run({"--json", "next", "bare"}).json().at("jobs").at(0).at("never").as_bool());
}
