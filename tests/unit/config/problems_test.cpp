// Texts and what a user reads about them.
#include "support/catch.hpp"
#include "unit/config/support.hpp"

namespace pgbakd::config {

using namespace testing;

TEST_CASE("every problem is told at once, in the file's order, with its place") {
    CHECK(problems_of(R"(timezone: Europe/Berlin
limit: {nice: 3}
servers:
  local: {}
  main: {prot: 5432, sslmode: maybe}
jobs:
  shop-daily:
    schedule: daily at 02:00
    source: {type: pg_dump, server: mian, databases: [a, b, a]}
    retention:
      local:
        days: 0
    days: 7
  crm:
    source: {type: pg_dump, databases: []}
    timeout: long
)") ==
          R"(/etc/pgbakd.yaml:2:1: limit: unknown key
  hint: did you mean "limits"? keys here: timezone, repository, reports, limits, shutdown_grace, health, api, servers, targets, alerts, jobs
/etc/pgbakd.yaml:5:10: servers.main.prot: unknown key
  hint: did you mean "port"? keys here: type, host, port, user, password, passfile, sslmode, sslrootcert, connect_timeout, maintenance_database, client
/etc/pgbakd.yaml:5:31: servers.main.sslmode: must be one of disable, allow, prefer, require, verify-ca, verify-full (got "maybe")
/etc/pgbakd.yaml:9:37: jobs.shop-daily.source.server: no server named "mian"
  hint: did you mean "main"? servers defined here: local, main
/etc/pgbakd.yaml:9:61: jobs.shop-daily.source.databases[2]: "a" is listed twice
  hint: remove one of them
/etc/pgbakd.yaml:12:15: jobs.shop-daily.retention.local.days: must be at least 1 (got 0)
  hint: remove the key to keep sets for 30 days
/etc/pgbakd.yaml:13:5: jobs.shop-daily.days: unknown key
  hint: "days" belongs under "retention.local"
/etc/pgbakd.yaml:14:3: jobs.crm.schedule: this key is required
  hint: as in schedule: daily at 02:00
/etc/pgbakd.yaml:15:5: jobs.crm.source.server: this key is required
  hint: the name of an entry of servers, as in server: local
/etc/pgbakd.yaml:15:40: jobs.crm.source.databases: an empty list: there is nothing to back up
  hint: write databases: all, or a list as in [shop, crm]
/etc/pgbakd.yaml:16:14: jobs.crm.timeout: "long" is not a duration
  hint: write a number and a unit: 90s, 15m, 12h, 30 days
)");
}

TEST_CASE("keys of parts that this version lacks are refused by name") {
    CHECK(problems_of(R"(servers:
  main: {}
targets: {nas: {type: directory, path: /mnt/nas}}
jobs:
  a:
    schedule: on change
    settle: 5s
    source: {type: files, paths: [/srv]}
  b:
    schedule: daily at 01:00
    source: {type: pg_dump, server: main, databases: all}
    targets: [nas]
    encryption: {age: [x]}
    retention: {local: {days: 7}, targets: {days: 30}}
  drill:
    schedule: weekly on friday at 04:00
    drill: {job: a, into: temporary}
)") ==
          R"(/etc/pgbakd.yaml:13:24: jobs.b.encryption.age[0]: is no recipient of age
  hint: as in age1…, which age-keygen prints as the public key, or an SSH key
/etc/pgbakd.yaml:17:5: jobs.drill.drill: not supported by this version of pgbakd
  hint: restore drills come with a later version: remove this job
)");
}

TEST_CASE("a configuration without a job is an error") {
    const std::string hint =
        "  hint: add one, as in jobs: {nightly: {schedule: daily at 02:00, source: {type: pg_dump, server: local, "
        "databases: all}}}\n";
    const std::string message = "no job is defined: there is nothing to back up\n";
    CHECK(problems_of("") == "/etc/pgbakd.yaml: " + message + hint);
    CHECK(problems_of("# nothing\n") == "/etc/pgbakd.yaml: " + message + hint);
    CHECK(problems_of("servers: {local: {}}\n") == "/etc/pgbakd.yaml: " + message + hint);
    CHECK(problems_of("jobs:\n") == "/etc/pgbakd.yaml:1:1: jobs: " + message + hint);
    CHECK(problems_of("jobs: {}\n") == "/etc/pgbakd.yaml:1:7: jobs: " + message + hint);
    CHECK(texts(load({}, host())) == "no configuration file is given\n");
}

TEST_CASE("names of jobs and servers are checked") {
    const auto text = problems_of("servers: {\"a/b\": {}}\njobs:\n  \"../x\": {}\n  \"\": {}\n");
    CHECK(text.find("/etc/pgbakd.yaml:1:11: servers.a/b: ") == 0);
    CHECK(text.find("/etc/pgbakd.yaml:3:3: jobs.../x: ") != std::string::npos);
    CHECK(text.find("/etc/pgbakd.yaml:4:3: jobs.: ") != std::string::npos);
}

TEST_CASE("a misspelled kind of source does not hide what else is wrong") {
    CHECK(problems_of("servers: {local: {}}\njobs: {j: {schedule: hourly, source: {type: pgdump, server: x, "
                      "databases: all}}}\n") ==
          "/etc/pgbakd.yaml:2:45: jobs.j.source.type: must be one of pg_dump, pg_basebackup, taosdump, command, files "
          "(got "
          "\"pgdump\")\n"
          "  hint: did you mean \"pg_dump\"?\n"
          "/etc/pgbakd.yaml:2:61: jobs.j.source.server: no server named \"x\"\n"
          "  hint: servers defined here: local\n");
}

TEST_CASE("columns count characters") {
    CHECK(problems_of(with_top("# Größe\nrepository: {directory: /srv/größe/ü, min_free: x}")).find(":2:49: ") !=
          std::string::npos);
}

TEST_CASE("a file that is no configuration at all gives a bounded number of problems") {
    std::string text;
    for (int i = 0; i < 5000; ++i) text += "key" + std::to_string(i) + ": x\n";
    const auto result = load_text(text);
    CHECK(result.problems.size() == 1001);
    CHECK(problem_text(result.problems.back()) == "/etc/pgbakd.yaml: 4001 more problems are not shown");
}

TEST_CASE("a problem of no file has nothing in front") {
    Problem problem;
    problem.message = "/etc/pgbakd.yaml:4:65: servers.main.password: the file is not there";
    CHECK(problem_text(problem) == problem.message);
}

TEST_CASE("the control socket is a file, and not among the daemon's own") {
    struct Row {
        const char* text;
        const char* problem;  // a part of it; empty: none
    };
    for (const auto& [text, problem] : std::vector<Row>{
             {"api: {socket: /run/pgbakd/control.sock}\n", ""},
             {"api: {socket: /var/lib/pgbakd/repository.sock}\n", ""},
             {"api: {socket: /}\n", "api.socket: must name a file, not a directory"},
             {"api: {socket: /var/lib/pgbakd/repository/x.sock}\n",
              "api.socket: must not lie inside the repository (/var/lib/pgbakd/repository)"},
             {"api: {socket: /var/lib/pgbakd/repository}\n", "api.socket: must not lie inside the repository"},
             {"reports: {directory: /srv/r}\napi: {socket: /srv/r/deep/x.sock}\n",
              "api.socket: must not lie inside the reports (/srv/r)"},
         }) {
        INFO(text);
        const auto found = problems_of(with_top(text));
        if (*problem == '\0')
            CHECK(found == "");
        else
            CHECK(found.find(problem) != std::string::npos);
    }
}

TEST_CASE("messages carry no password") {
    for (const auto* text :
         {"servers: {local: {host: 'postgres://u:hunter2@h/db'}}", "servers: {local: {password: [hunter2]}}",
          "servers: {local: {password: {env: 'hunter2!'}}}", "servers: {local: {password: {file: hunter2}}}",
          "servers: {local: {passfile: 'password=hunter2'}}",
          "jobs: {j: {source: {options: '--dbname=postgres://u:hunter2@h'}}}",
          "jobs: {j: {source: {options: ['-d', 'password=hunter2']}}}", "servers: {local: {password: *hunter2}}",
          "servers: {local: {password: &hunter2 x}}", "servers: {local: {password: !hunter2 x}}"}) {
        CAPTURE(text);
        const auto problems = problems_of(text);
        CHECK(!problems.empty());
        CHECK(problems.find("hunter2") == std::string::npos);
    }
}

}  // namespace pgbakd::config
