// Several files as one configuration.
#include "support/catch.hpp"
#include "unit/config/support.hpp"

namespace pgbakd::config {

using namespace testing;

namespace {

LoadResult load_files(const std::vector<std::string>& files) {
    std::vector<Document> documents;
    for (std::size_t i = 0; i < files.size(); ++i)
        documents.push_back(
            {i == 0 ? "/etc/pgbakd.yaml" : "/etc/pgbakd.d/" + std::to_string(i) + ".yaml", files[i], false});
    return load(documents, host());
}

std::string job(const std::string& name) {
    return "  " + name + ": {schedule: hourly, source: {type: pg_dump, server: local, databases: all}}\n";
}

}  // namespace

TEST_CASE("sections of several files add up, jobs keep their order") {
    const auto result = load_files({"limits: {nice: 5}\nservers: {local: {}}\njobs:\n" + job("z"),
                                    "limits: {concurrent_runs: 4}\nservers:\njobs:\n" + job("m") + job("a"), "",
                                    "timezone: UTC\nservers: {other: {host: h}}\n"});
    REQUIRE(texts(result).empty());
    REQUIRE(result.config);
    CHECK(result.config->limits.nice == 5);
    CHECK(result.config->limits.concurrent_runs == 4);
    CHECK(result.config->timezone == "UTC");
    CHECK(result.config->servers.size() == 2);
    std::vector<std::string> names;
    for (const auto& each : result.config->jobs) names.push_back(each->name);
    CHECK(names == std::vector<std::string>{"z", "m", "a"});
    CHECK(result.config->job("m")->name == "m");
    CHECK(result.config->job("x") == nullptr);
}

TEST_CASE("what two files define is an error that names both places") {
    CHECK(
        texts(load_files({"timezone: UTC\nlimits: {nice: 5}\nservers: {local: {}}\njobs:\n" + job("a"),
                          "timezone: Europe/Berlin\nlimits: {nice: 6}\nservers:\n  local: {}\njobs:\n" + job("a")})) ==
        R"(/etc/pgbakd.d/1.yaml:1:1: timezone: defined twice
  hint: the first is at /etc/pgbakd.yaml:1:1
/etc/pgbakd.d/1.yaml:2:10: limits.nice: defined twice
  hint: the first is at /etc/pgbakd.yaml:2:10
/etc/pgbakd.d/1.yaml:4:3: servers.local: defined twice
  hint: the first is at /etc/pgbakd.yaml:3:11
/etc/pgbakd.d/1.yaml:6:3: jobs.a: defined twice
  hint: the first is at /etc/pgbakd.yaml:5:3
)");
}

TEST_CASE("a section that one file writes as something else is told as that, not as defined twice") {
    const auto with_job = "servers: {local: {}}\njobs:\n" + job("a");
    CHECK(
        texts(load_files({with_job, "jobs: []\n"})) ==
        "/etc/pgbakd.d/1.yaml:1:7: jobs: must be a mapping (got a list)\n  hint: it is one at /etc/pgbakd.yaml:2:1\n");
    CHECK(texts(load_files({"jobs: none\n", with_job}))
              .starts_with("/etc/pgbakd.yaml:1:7: jobs: must be a mapping (got \"none\")\n  hint: it is one at "
                           "/etc/pgbakd.d/1.yaml:2:1\n"));
}

TEST_CASE("problems come file by file, and broken YAML in one keeps the rest from being guessed at") {
    CHECK(texts(load_files({"limits: {nice: 50}\nservers: {local: {}}\n", "jobs:\n  a: {schedule: hourly}\n"})) ==
          "/etc/pgbakd.yaml:1:16: limits.nice: must be at most 19 (got 50)\n  hint: the default is 10\n"
          "/etc/pgbakd.d/1.yaml:2:3: jobs.a.source: this key is required\n  hint: as in source: {type: pg_dump, "
          "server: local, databases: all}\n");
    CHECK(texts(load_files({"servers: [}\n", "jobs:\n" + job("a"), "\tx"})) ==
          "/etc/pgbakd.yaml:1:11: not valid YAML: illegal flow end\n  hint: brackets and braces do not match\n"
          "/etc/pgbakd.d/2.yaml:1:1: a tab in the indentation\n  hint: use spaces\n");
}

}  // namespace pgbakd::config
