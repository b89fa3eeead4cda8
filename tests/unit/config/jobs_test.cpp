// What must hold between the keys of a job, and between a job and the rest.
#include "support/catch.hpp"
#include "unit/config/support.hpp"

namespace pgbakd::config {

using namespace testing;
using namespace std::chrono_literals;

namespace {

std::string scheduled(const std::string& schedule, const std::string& more = "") {
    return "servers: {local: {}}\njobs:\n  j:\n    schedule: " + schedule +
           "\n    source: {type: pg_dump, server: local, databases: all}\n    " + more + "\n";
}

}  // namespace

TEST_CASE("the smallest job gets every default") {
    const auto config = config_of(with_job(""));
    REQUIRE(config->jobs.size() == 1);
    const auto& job = *config->jobs.front();
    CHECK(job.name == "j");
    CHECK(job.schedule.canonical() == "daily at 02:00");
    CHECK(job.timezone == "Asia/Shanghai");
    CHECK(job.zone->name() == "Asia/Shanghai");
    CHECK(job.catch_up == model::CatchUp{model::CatchUp::Policy::once, {}});
    CHECK(job.overlap == model::Overlap::skip);
    CHECK(job.jitter == 0ms);
    const auto& dump = dump_of(job);
    CHECK(dump.server == "local");
    CHECK(dump.all_databases);
    CHECK(dump.databases.empty());
    CHECK(dump.format == model::DumpFormat::custom);
    CHECK_FALSE(dump.globals);
    CHECK(dump.jobs == 1);
    CHECK(dump.lock_wait_timeout == 60s);
    CHECK(dump.fingerprint == model::FingerprintKind::counts);
    CHECK(job.compression == codec::Compression{codec::Method::gzip, 6});
    CHECK(job.local_retention.days == 30);
    CHECK(job.local_retention.at_least == 2);
    CHECK(job.timeout == 12h);
    CHECK(job.retries.attempts == 3);
    CHECK(job.retries.backoff == 1min);
    CHECK(config->repository.directory == "/var/lib/pgbakd/repository");
    CHECK(config->repository.min_free == std::uint64_t{5} << 30U);
    CHECK(config->reports_directory == "/var/lib/pgbakd/reports");
    CHECK(config->state_file() == "/var/lib/pgbakd/state.db");
    CHECK(config->api_socket == "/run/pgbakd/control.sock");
    CHECK(config->shutdown_grace == 30s);
    CHECK(config->limits.concurrent_runs == 2);
    CHECK(config->limits.concurrent_runs_per_server == 1);
    CHECK(config->limits.compression_threads == 0);
    CHECK(config->limits.nice == 10);
    CHECK(config->servers.at("local").connect_timeout == 10s);
    CHECK(config->servers.at("local").maintenance_database == "postgres");
}

TEST_CASE("retention: a rule of one's own replaces the default, none is an error") {
    CHECK_FALSE(config_of(with_job("retention: {local: {last: 7}}"))->jobs[0]->local_retention.days.has_value());
    const std::string hint =
        "\n  hint: as in retention: {local: {days: 30}}; without the key retention sets stay for 30 days\n";
    CHECK(problems_of(with_job("retention: {}")) == "/etc/pgbakd.yaml:6:16: jobs.j.retention: has no rule" + hint);
    CHECK(problems_of(with_job("retention: {local: {}}")) ==
          "/etc/pgbakd.yaml:6:24: jobs.j.retention.local: has no rule" + hint);
    CHECK(problems_of(with_job("retention: {local: {at_least: 3}}")) ==
          "/etc/pgbakd.yaml:6:24: jobs.j.retention.local: has no rule" + hint);
}

TEST_CASE("zones: the schedule's own, else the job's, else the configuration's, else the host's") {
    CHECK(config_of("timezone: Europe/Berlin\n" + with_job(""))->jobs[0]->timezone == "Europe/Berlin");
    CHECK(config_of("timezone: Europe/Berlin\n" + with_job("timezone: UTC"))->jobs[0]->timezone == "UTC");
    const auto own = load_text(scheduled("calendar *-*-* 02:00:00 Europe/Berlin", "timezone: UTC"));
    REQUIRE(own.config);
    CHECK(own.config->jobs[0]->timezone == "Europe/Berlin");
    CHECK(texts(own) ==
          "/etc/pgbakd.yaml:6:15: warning: jobs.j.timezone: the schedule names a zone of its own, Europe/Berlin, and "
          "goes by it\n  hint: name the zone in one place\n");
    CHECK(problems_of("timezone: Mars/Base\n" + with_job("timezone: Mars/Rim")) ==
          "/etc/pgbakd.yaml:1:11: timezone: no time zone named \"Mars/Base\"\n"
          "/etc/pgbakd.yaml:7:15: jobs.j.timezone: no time zone named \"Mars/Rim\"\n");
    auto lost = host();
    lost.host_zone_name = "Mars/Base";
    CHECK(texts(load({{"f", with_job(""), false}}, lost)) ==
          "f: the host's time zone: no time zone named \"Mars/Base\"\n  hint: set one here, as in timezone: "
          "Europe/Berlin\n");
}

TEST_CASE("schedules that are wrong, over or never due are refused") {
    const auto nonsense = problems_of(scheduled("daily at 25:00"));
    CHECK(nonsense.find("/etc/pgbakd.yaml:4:15: jobs.j.schedule: ") == 0);
    CHECK(nonsense.find("column") != std::string::npos);
    CHECK(problems_of(scheduled("once at 2025-12-01 02:00")) ==
          "/etc/pgbakd.yaml:4:15: jobs.j.schedule: \"once at 2025-12-01 02:00\" lies in the past\n  hint: give it a "
          "later time, or remove the job\n");
    CHECK(load_text(scheduled("once at 2026-12-01 02:00")).config);
    for (const auto& [text, fire] : {std::pair{"once at 2199-06-01 02:00", "2199-06-01 02:00 CST"},
                                     std::pair{"calendar 2199-01-01 00:00:00", "2199-01-01 00:00 CST"}})
        CHECK(problems_of(scheduled(text)) == std::string("/etc/pgbakd.yaml:4:15: jobs.j.schedule: \"") + text +
                                                  "\" lies beyond the next 100 years: its next fire is " + fire +
                                                  "\n  hint: give it an earlier time, or remove the job\n");
    CHECK(problems_of(scheduled("calendar *-*-* 02:00:00 Europe/Berlni")).find(" at column 25\n") != std::string::npos);
    CHECK(problems_of(scheduled("calendar *-*-* 02:00:00 ../../etc/passwd")).find("time zone") != std::string::npos);
    CHECK(problems_of(scheduled("'0 2 30 2 *'")).find("jobs.j.schedule: \"0 2 30 2 *\" never fires\n") !=
          std::string::npos);
    const auto both = load_text(scheduled("'0 2 13 * 5'"));
    CHECK(both.config);
    CHECK(texts(both).find("/etc/pgbakd.yaml:4:15: warning: jobs.j.schedule: ") == 0);
}

TEST_CASE("a schedule that fires once and waits for its jitter to be over has not passed") {
    struct Row {
        bool known;
        std::string jitter;
        bool is_right, is_told;
    };
    // Ten minutes ago.
    for (const auto& row :
         {Row{true, "1h", true, false}, Row{true, "5m", true, true}, Row{false, "1h", false, false}}) {
        INFO(row.known << " " << row.jitter);
        auto around = host();
        around.was_in_force = [&row](const std::filesystem::path&, const model::JobSpec&) { return row.known; };
        const auto text = scheduled("once at 2026-01-09 23:50", "timezone: UTC\n    jitter: " + row.jitter);
        const auto loaded = load({{"/etc/pgbakd.yaml", text, false}}, around);
        CHECK(static_cast<bool>(loaded.config) == row.is_right);
        CHECK((texts(loaded).find("has passed: the job does not run") != std::string::npos) == row.is_told);
    }
}

TEST_CASE("a schedule that has passed since the daemon took it over is a warning, not the end of all jobs") {
    std::vector<std::string> asked;
    auto around = host();
    around.was_in_force = [&asked](const std::filesystem::path& state_file, const model::JobSpec& job) {
        asked.push_back(state_file.string() + " " + job.name + " " + job.schedule.canonical() + " " + job.zone->name());
        return job.schedule.canonical() != "once at 2025-12-02 02:00";
    };
    const auto load_with = [&around](const std::string& schedule) {
        return load({{"/etc/pgbakd.yaml", "repository: {directory: /srv/pg/sets}\n" + scheduled(schedule), false}},
                    around);
    };
    const auto done = load_with("once at 2025-12-01 02:00");
    CHECK(done.config);
    CHECK(texts(done) ==
          "/etc/pgbakd.yaml:5:15: warning: jobs.j.schedule: \"once at 2025-12-01 02:00\" has passed: the job does not "
          "run by the clock any more\n  hint: remove the job, or give it a later time\n");
    CHECK(load_with("calendar 2025-*-* 02:00").config);
    CHECK_FALSE(load_with("once at 2025-12-02 02:00").config);
    CHECK(asked.at(0) == "/srv/pg/state.db j once at 2025-12-01 02:00 Asia/Shanghai");
    CHECK(asked.size() == 3);
    // What can never have been right stays wrong, and what is to come is no question.
    CHECK_FALSE(load_with("'0 2 30 2 *'").config);
    CHECK(load_with("once at 2026-12-01 02:00").config);
    CHECK(asked.size() == 3);
}

TEST_CASE("a jitter that is right stays right: dates and zone rules to come do not count") {
    // The gap from the 28th to the 1st is a day only in February of a common year; whatever the date, it counts.
    for (const auto* now : {"2027-06-01T00:00:00Z", "2028-03-01T00:00:00Z", "2096-03-01T00:00:00Z"}) {
        INFO(now);
        auto around = host();
        around.now = calendar::parse_rfc3339(now).value();
        const auto valid = [&around](const std::string& schedule, const std::string& more) {
            return load({{"f", scheduled(schedule, more), false}}, around).config != nullptr;
        };
        CHECK_FALSE(valid("monthly on 1, 28 at 02:00", "jitter: 36h"));
        CHECK_FALSE(valid("monthly on 1, 28 at 02:00", "jitter: 24h"));
        CHECK(valid("monthly on 1, 28 at 02:00", "jitter: 23h"));
        CHECK(valid("monthly on 1, 28 at 02:00, 03:00", "jitter: 59m"));
        CHECK_FALSE(valid("monthly on 1, 28 at 02:00, 03:00", "jitter: 1h"));
        CHECK_FALSE(valid("monthly on last-day, first monday at 02:00", "jitter: 24h"));
        CHECK(valid("weekly on mon at 02:00", "jitter: 6 days"));
        CHECK_FALSE(valid("weekly on mon at 02:00", "jitter: 7 days"));
        CHECK_FALSE(valid("daily at 23:30, 00:15", "jitter: 45m"));
        CHECK(valid("yearly on 02-29 at 02:00", "jitter: 7 days"));
        CHECK_FALSE(valid("calendar 2101..2102-01,12-01,31 02:00", "jitter: 24h"));
        CHECK(valid("calendar 2101-01,12-01,31 02:00", "jitter: 24h"));
        // Clocks that go forward bring 23:30 and 00:30 together in Cairo, 01:30 and 03:30 in Berlin.
        CHECK(valid("daily at 23:30, 00:30", "timezone: Africa/Cairo\n    jitter: 59m"));
        CHECK(valid("daily at 01:30, 02:30, 03:30", "timezone: Europe/Berlin\n    jitter: 59m"));
    }
}

TEST_CASE("a jitter that a job was in force with is no reason to refuse all jobs") {
    auto around = host();
    around.was_in_force = [](const std::filesystem::path&, const model::JobSpec&) { return true; };
    const auto loaded = load({{"/etc/pgbakd.yaml", scheduled("hourly", "jitter: 1h"), false}}, around);
    CHECK(loaded.config);
    CHECK(
        texts(loaded) ==
        "/etc/pgbakd.yaml:6:13: warning: jobs.j.jitter: must be less than the schedule's shortest gap, 1 h (got 1 h)\n"
        "  hint: else a fire would start after the next one is due\n");
}

TEST_CASE("jitter is less than the schedule's shortest gap") {
    CHECK(load_text(scheduled("hourly", "jitter: 59m")).config);
    CHECK(problems_of(scheduled("hourly", "jitter: 1h")) ==
          "/etc/pgbakd.yaml:6:13: jobs.j.jitter: must be less than the schedule's shortest gap, 1 h (got 1 h)\n  hint: "
          "else a fire would start after the next one is due\n");
    CHECK(load_text(scheduled("once at 2026-12-01 02:00", "jitter: 1h")).config);
}

TEST_CASE("servers must exist") {
    const std::string job = "jobs: {j: {schedule: hourly, source: {type: pg_dump, server: local, databases: all}}}\n";
    CHECK(problems_of(job) ==
          "/etc/pgbakd.yaml:1:62: jobs.j.source.server: no server named \"local\"\n  hint: none is defined: add "
          "servers: {local: {}}\n");
    // A section that could not be read says nothing about what it would have defined.
    CHECK(problems_of("servers: [local]\n" + job).find("no server") == std::string::npos);
    std::string many = "servers:\n";
    for (int i = 10; i < 25; ++i) many += "  s" + std::to_string(i) + ": {}\n";
    CHECK(problems_of(many + job)
              .find("servers defined here: s10, s11, s12, s13, s14, s15, s16, s17, s18, s19 and 5 "
                    "more") != std::string::npos);
}

TEST_CASE("keys of a source that do not go together") {
    const auto source = [](const std::string& keys) {
        return "servers: {local: {}}\njobs: {j: {schedule: hourly, source: {type: pg_dump, server: local, " + keys +
               "}}}\n";
    };
    CHECK(problems_of(source("databases: [a], exclude: [b]")) ==
          "/etc/pgbakd.yaml:2:94: jobs.j.source.exclude: only with databases: all\n  hint: remove the key, and the "
          "names from databases\n");
    CHECK(problems_of(source("databases: [a], jobs: 2")) ==
          "/etc/pgbakd.yaml:2:91: jobs.j.source.jobs: more than one only with format: directory\n  hint: remove the "
          "key, or add format: directory\n");
    CHECK(problems_of(source("databases: shop")) ==
          "/etc/pgbakd.yaml:2:80: jobs.j.source.databases: must be all or a list of database names (got \"shop\")\n  "
          "hint: write a list: [shop]\n");
    CHECK(
        problems_of(source("databases: [all]")) ==
        "/etc/pgbakd.yaml:2:80: warning: jobs.j.source.databases: this is a database of the name \"all\"\n  hint: for "
        "all databases write databases: all, without brackets\n");
    CHECK(dump_of(*config_of(source("databases: [2024, 'a b', \"c\"]"))->jobs[0]).databases ==
          std::vector<std::string>{"2024", "a b", "c"});
}

TEST_CASE("the compression of pg_dump's archives ends at gzip:9") {
    const std::string expected =
        "jobs.j.compression: at most gzip:9 with this format (got gzip:12)\n  hint: pg_dump knows no higher "
        "one in the formats custom and directory; levels 10 to 12 need format: plain\n";
    CHECK(problems_of(with_job("compression: gzip:12")) == "/etc/pgbakd.yaml:6:18: " + expected);
    CHECK(problems_of(with_job("compression: gzip:12", ", format: directory")) == "/etc/pgbakd.yaml:6:18: " + expected);
    CHECK(load_text(with_job("compression: gzip:12", ", format: plain")).config);
    CHECK(load_text(with_job("compression: zstd:3")).config);
    CHECK(problems_of(with_job("compression: gzip:13")).find(":6:18: jobs.j.compression: ") != std::string::npos);
}

TEST_CASE("reports and repository do not lie inside each other") {
    const std::string hint = "\n  hint: give each a directory of its own\n";
    CHECK(problems_of(with_top("repository: {directory: /srv/b}\nreports: {directory: /srv/b/reports/}")) ==
          "/etc/pgbakd.yaml:2:22: reports.directory: reports (/srv/b/reports) and repository (/srv/b) must not lie "
          "inside each other" +
              hint);
    CHECK(problems_of(with_top("repository: {directory: /var/lib/pgbakd/reports/x}")) ==
          "/etc/pgbakd.yaml:1:25: repository.directory: reports (/var/lib/pgbakd/reports) and repository "
          "(/var/lib/pgbakd/reports/x) must not lie inside each other" +
              hint);
    CHECK(load_text(with_top("repository: {directory: /srv/b}\nreports: {directory: /srv/b2}")).config);
}

}  // namespace pgbakd::config
