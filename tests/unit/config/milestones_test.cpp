// Dates of jobs that run by name.
#include "support/catch.hpp"
#include "unit/config/support.hpp"

namespace pgbakd::config {

using namespace testing;

namespace {

std::string with_dates(const std::string& milestones, const std::string& schedule = "milestone") {
    return "servers: {local: {}}\njobs:\n  j:\n    schedule: " + schedule +
           "\n    source: {type: pg_dump, server: local, databases: all}\n    milestones: " + milestones + "\n";
}

}  // namespace

TEST_CASE("a milestone job runs by name, and on the dates it has") {
    const auto bare = config_of(
        "servers: {local: {}}\njobs: {j: {schedule: milestone, source: {type: pg_dump, server: local, databases: "
        "all}}}\n");
    CHECK(bare->jobs[0]->schedule.kind() == calendar::ScheduleKind::milestone);
    CHECK(bare->jobs[0]->milestones.empty());
    CHECK(config_of(with_dates("[]"))->jobs[0]->milestones.empty());

    const auto config =
        config_of(with_dates("[{name: mvp, at: 2026-12-01 02:00}, {name: v1.0, at: \"2027-02-01 2:30\"}]"));
    const auto& milestones = config->jobs[0]->milestones;
    REQUIRE(milestones.size() == 2);
    CHECK(milestones[1].name == "v1.0");
    CHECK(model::milestone_date(milestones[1]) == "2027-02-01 02:30");
    const auto yaml = effective_yaml(*config);
    CHECK(yaml.find("    milestones: [{name: mvp, at: ") != std::string::npos);
    const auto again = load_text(yaml);
    REQUIRE(again.config);
    CHECK(again.config->jobs[0]->milestones == milestones);
    CHECK(effective_yaml(*again.config) == yaml);
}

TEST_CASE("milestones that are wrong are refused with their place") {
    struct Row {
        std::string list, problem;
    };
    const auto row = GENERATE(values<Row>({
        {"mvp", "must be a list of milestones (got \"mvp\")"},
        {"[mvp]", "[0]: must be a mapping with name and at (got \"mvp\")"},
        {"[{name: mvp}]", "[0].at: this key is required"},
        {"[{at: 2026-12-01 02:00}]", "[0].name: this key is required"},
        {"[{name: mvp, at: 2026-12-01 02:00, when: x}]", "[0].when: unknown key"},
        {"[{name: m/p, at: 2026-12-01 02:00}]", "[0].name: milestone name \"m/p\" has a character"},
        {"[{name: mvp, at: soon}]", "[0].at: \"soon\" is no date and time: a date is year-month-day"},
        {"[{name: mvp, at: 2026-02-30 02:00}]",
         "[0].at: \"2026-02-30 02:00\" is no date and time: there is no such day"},
        {"[{name: a, at: 2026-12-01 02:00}, {name: a, at: 2026-12-02 02:00}]",
         "[1].name: a second milestone named \"a\""},
        {"[{name: a, at: 2026-12-01 02:00}, {name: b, at: 2026-12-01 2:00}]",
         "[1].at: the time of the milestone \"a\" too"},
    }));
    INFO(row.list);
    const auto problems = problems_of(with_dates(row.list));
    INFO(problems);
    CHECK(problems.find("/etc/pgbakd.yaml:6:") == 0);
    CHECK(problems.find("jobs.j.milestones" + (row.problem.front() == '[' ? row.problem : ": " + row.problem)) !=
          std::string::npos);
}

TEST_CASE("dates go with the schedule milestone only, and on change is for files") {
    const auto dates = problems_of(with_dates("[{name: mvp, at: 2026-12-01 02:00}]", "daily at 02:00"));
    CHECK(dates.find("jobs.j.milestones: only with schedule: milestone\n") != std::string::npos);
    const auto change = problems_of(
        "servers: {local: {}}\njobs: {j: {schedule: on change, source: {type: pg_dump, server: local, databases: "
        "all}}}\n");
    CHECK(change ==
          "/etc/pgbakd.yaml:2:22: jobs.j.schedule: \"on change\" is for files: nothing else tells when it changes\n"
          "  hint: use a schedule by the clock, as in schedule: daily at 02:00\n");
}

// The daemon has had all of a job's dates, or all but those.
void know_dates(Host& around, bool known, const std::string& but = {}) {
    around.dates_in_force = [known, but](const std::filesystem::path&, const model::JobSpec& job) {
        std::vector<calendar::Schedule> dates;
        for (const auto& milestone : job.milestones)
            if (known && milestone.name != but) dates.push_back(milestone.at);
        return dates;
    };
}

TEST_CASE("only of dates that the daemon never had it is said that nothing runs for them") {
    auto around = host();
    know_dates(around, true, "slip");
    const auto loaded = load({{"/etc/pgbakd.yaml",
                               with_dates("[{name: missed, at: 2025-12-01 02:00}, {name: slip, at: 2025-12-02 02:00}, "
                                          "{name: new, at: 2026-12-01 02:00}]"),
                               false}},
                             around);
    CHECK(loaded.config);
    CHECK(
        texts(loaded) ==
        "/etc/pgbakd.yaml:6:17: warning: jobs.j.milestones: \"2025-12-02 02:00\" (slip) lies in the past: nothing runs "
        "for it\n  hint: leave it if it is done, or give it a later time\n");
}

TEST_CASE("a milestone that is done stays in the file: dates in the past are never an error") {
    auto around = host();
    const auto load_with = [&around](const std::string& list) {
        return load({{"/etc/pgbakd.yaml", with_dates(list), false}}, around);
    };
    const std::string done = "{name: old, at: 2025-12-01 02:00}", to_come = "{name: new, at: 2026-12-01 02:00}";
    const std::string told =
        "/etc/pgbakd.yaml:6:17: warning: jobs.j.milestones: \"2025-12-01 02:00\" (old) lies in the past: nothing runs "
        "for it\n  hint: leave it if it is done, or give it a later time\n";
    const std::string over =
        "/etc/pgbakd.yaml:6:17: warning: jobs.j.milestones: all dates have passed: the job runs by name only\n  hint: "
        "add one that is to come\n";
    for (const bool known : {false, true}) {
        INFO(known);
        know_dates(around, known);
        const auto some = load_with("[" + done + ", " + to_come + "]");
        CHECK(some.config);
        CHECK(texts(some) == (known ? "" : told));
        const auto all = load_with("[" + done + "]");
        CHECK(all.config);
        CHECK(texts(all) == over);
        CHECK(texts(load_with("[" + to_come + "]")).empty());
    }
}

TEST_CASE("milestones that fall on one instant in the job's zone are refused, unless they were in force") {
    struct Row {
        std::string list, zone, problem;  // empty: none
    };
    const std::string a = "{name: a, at: 2027-03-28 02:10}", b = "{name: b, at: 2027-03-28 02:40}",
                      c = "{name: c, at: 2027-03-28 03:00}";
    const std::string instant =
        "fall on one instant, 2027-03-28 03:00 CEST: one run has one name\n  hint: give one of "
        "them another time\n";
    const auto row = GENERATE_COPY(values<Row>({
        {"[" + a + ", " + b + "]", "Europe/Berlin", "milestones[1].at: milestones \"a\" and \"b\" " + instant},
        {"[" + c + ", " + a + "]", "Europe/Berlin", "milestones[1].at: milestones \"c\" and \"a\" " + instant},
        {"[" + a + ", " + b + ", " + c + "]", "UTC", ""},
        {"[" + a + ", {name: d, at: 2027-03-28 03:10}]", "Europe/Berlin", ""},
        // What is over runs no more.
        {"[{name: a, at: 2025-03-30 02:10}, {name: b, at: 2025-03-30 02:40}, " + c + "]", "Europe/Berlin", ""},
    }));
    INFO(row.list);
    for (const bool known : {false, true}) {
        INFO(known);
        auto around = host();
        around.was_in_force = [known](const std::filesystem::path&, const model::JobSpec&) { return known; };
        const auto loaded =
            load({{"/etc/pgbakd.yaml", with_dates(row.list) + "    timezone: " + row.zone + "\n", false}}, around);
        INFO(texts(loaded));
        CHECK(static_cast<bool>(loaded.config) == (known || row.problem.empty()));
        CHECK((texts(loaded).find("fall on one instant") != std::string::npos) == !row.problem.empty());
        CHECK(texts(loaded).find(row.problem) != std::string::npos);
    }
}

TEST_CASE("a milestone that waits for its jitter to be over has not passed") {
    auto around = host();
    know_dates(around, true);
    const auto told = [&around](const std::string& jitter) {
        const auto text = with_dates("[{name: a, at: 2026-01-09 23:50}]") + "    timezone: UTC\n    jitter: " + jitter;
        return texts(load({{"/etc/pgbakd.yaml", text + "\n", false}}, around));
    };
    CHECK(told("1h").empty());
    CHECK(told("5m").find("all dates have passed") != std::string::npos);
}

TEST_CASE("a milestone on a day that the zone never had is told") {
    const auto problems = problems_of(with_dates("[{name: mvp, at: 2011-12-30 12:00}]\n    timezone: Pacific/Apia"));
    CHECK(problems.find("jobs.j.milestones: \"2011-12-30 12:00\" (mvp) never comes: there is no such day in "
                        "Pacific/Apia") != std::string::npos);
}

}  // namespace pgbakd::config
