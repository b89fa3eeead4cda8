// The effective configuration: complete, and as good as the file it came from.
#include "fuzz/config/config_property.hpp"
#include "support/catch.hpp"
#include "unit/config/support.hpp"

namespace pgbakd::config {

using namespace testing;

TEST_CASE("the smallest configuration, with every default filled in") {
    CHECK(effective_yaml(*config_of(with_job("", ", globals: true"))) == R"(timezone: Asia/Shanghai
repository:
  directory: /var/lib/pgbakd/repository
  min_free: 5 GiB
reports:
  directory: /var/lib/pgbakd/reports
limits:
  concurrent_runs: 2
  concurrent_runs_per_server: 1
  compression_threads: 0
  nice: 10
shutdown_grace: 30s
health:
  schedule: every 6 hours
  disk_usage: 80%
api:
  socket: /run/pgbakd/control.sock
servers:
  local:
    type: postgresql
    connect_timeout: 10s
    maintenance_database: postgres
jobs:
  j:
    schedule: daily at 02:00
    timezone: Asia/Shanghai
    catch_up: once
    overlap: skip
    jitter: 0s
    source:
      type: pg_dump
      server: local
      databases: all
      format: custom
      globals: true
      jobs: 1
      lock_wait_timeout: 1m
      options: []
      fingerprint: counts
    compression: gzip
    targets: []
    keep_local: true
    retention:
      local:
        days: 30
        at_least: 2
    timeout: 12h
    retries:
      attempts: 3
      backoff: 1m
    health:
      max_age: 26h
      size_change: 50%
)");
}

TEST_CASE("texts that YAML would take for something else are quoted") {
    const auto written = effective_yaml(*config_of(
        "servers: {\"123\": {user: \"yes\"}, 'null': {maintenance_database: 'a: b'}}\njobs: {\"1\": {schedule: hourly, "
        "source: {type: pg_dump, server: \"123\", databases: ['2024', 'it''s', '*', 'a\"b', 'ü', '- x', '#', 'x #y', "
        "'~', '1e5', 'true', 'a\\b', '12:30', '5m']}}}\n"));
    CHECK(written.find("  \"123\":\n    type: postgresql\n    user: \"yes\"\n") != std::string::npos);
    CHECK(written.find("  \"null\":\n") != std::string::npos);
    CHECK(written.find("    maintenance_database: \"a: b\"\n") != std::string::npos);
    CHECK(written.find(
              R"(["2024", "it's", "*", "a\"b", "ü", "- x", "#", "x #y", "~", "1e5", "true", "a\\b", "12:30", 5m])") !=
          std::string::npos);
    CHECK(effective_yaml(*config_of(written)) == written);
}

TEST_CASE("whatever loads is written and loads again without loss") {
    std::size_t files = 0;
    for (const auto& entry :
         std::filesystem::directory_iterator(source_directory() / "tests/fuzz/config/corpus/fuzz_config")) {
        CAPTURE(entry.path().string());
        check_config_property(read_file(entry.path()));
        ++files;
    }
    CHECK(files > 10);
}

TEST_CASE("ten thousand jobs load") {
    std::string text = "servers: {local: {}}\njobs:\n";
    for (int i = 0; i < 10'000; ++i)
        text += "  j" + std::to_string(i) +
                ": {schedule: daily at 02:00, source: {type: pg_dump, server: local, databases: all}}\n";
    const auto config = config_of(text);
    CHECK(config->jobs.size() == 10'000);
    CHECK(config->jobs.back()->name == "j9999");
}

}  // namespace pgbakd::config
