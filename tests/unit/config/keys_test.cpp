// Every key of the table: a right value, a wrong type, a value out of range.
#include <functional>

#include "support/catch.hpp"
#include "unit/config/support.hpp"

namespace pgbakd::config {
namespace {

using namespace testing;

struct Row {
    std::string text;      // of the whole file
    std::string expected;  // of the first problem, from its path on; empty: right
};

void check(const std::vector<Row>& rows) {
    for (const auto& row : rows) {
        CAPTURE(row.text);
        const auto result = load_text(row.text);
        const auto first = result.problems.empty() ? std::string() : problem_text(result.problems.front());
        const auto path = first.find(": ");
        CHECK((path == std::string::npos ? first : first.substr(path + 2)) == row.expected);
        CHECK((result.config != nullptr) == row.expected.empty());
    }
}

}  // namespace

TEST_CASE("keys of the whole file take what they say and refuse the rest") {
    check({
        {with_top("timezone: Europe/Berlin"), ""},
        {with_top("timezone: []"), "timezone: must be the name of a time zone (Europe/Berlin) (got a list)"},
        {with_top("shutdown_grace: 2m"), ""},
        {with_top("shutdown_grace: 0s"), ""},
        {with_top("shutdown_grace: 30"),
         "shutdown_grace: \"30\" is not a duration\n  hint: write a number and a unit: 90s, 15m, 12h, 30 days"},
        {with_top("shutdown_grace: 2h"), "shutdown_grace: must be at most 1h (got 2h)\n  hint: the default is 30s"},
        {with_top("shutdown_grace: {}"),
         "shutdown_grace: must be a duration from 0s to 1h (got a mapping)\n  hint: the default is 30s"},
        {with_top("repository: {directory: /srv/backup, min_free: 10 GB}"), ""},
        {with_top("repository: /srv/backup"),
         "repository: must be a mapping (got \"/srv/backup\")\n  hint: keys here: directory, min_free"},
        {with_top("repository:"), ""},
        {with_top("repository: {directory: backup}"),
         "repository.directory: must be an absolute path (got \"backup\")\n  hint: write the whole path from \"/\" on; "
         "\"~\" and variables are not expanded"},
        {with_top("repository: {directory: /srv/..}"),
         "repository.directory: must not be the root directory\n  hint: give it a directory of its own"},
        {with_top("repository: {min_free: much}"),
         "repository.min_free: \"much\" is not a size\n  hint: write a number and a unit: 512 KiB, 10 MiB, 1 GB"},
        {with_top("repository: {min_free: 2000 TiB}"),
         "repository.min_free: must be at most 1024 TiB (got 2000 TiB)\n  hint: the default is 5 GiB"},
        {with_top("repository: {min_free: 0}"), ""},
        {with_top("reports: {directory: /srv/reports}"), ""},
        {with_top("reports: {directory: 5}"),
         "reports.directory: must be an absolute path (got \"5\")\n  hint: write the whole path from \"/\" on; \"~\" "
         "and variables are not expanded"},
        {with_top("limits: {concurrent_runs: 64, concurrent_runs_per_server: 64, compression_threads: 256, nice: 19}"),
         ""},
        {with_top("limits: {concurrent_runs: 1, concurrent_runs_per_server: 1, compression_threads: 0, nice: 0}"), ""},
        {with_top("limits: {concurrent_runs: 0}"),
         "limits.concurrent_runs: must be at least 1 (got 0)\n  hint: the default is 2"},
        {with_top("limits: {concurrent_runs: 65}"),
         "limits.concurrent_runs: must be at most 64 (got 65)\n  hint: the default is 2"},
        {with_top("limits: {concurrent_runs: two}"),
         "limits.concurrent_runs: must be a whole number from 1 to 64 (got \"two\")\n  hint: the default is 2"},
        {with_top("limits: {concurrent_runs: \"2\"}"),
         "limits.concurrent_runs: must be a whole number from 1 to 64 (got \"2\")\n  hint: remove the quotes"},
        {with_top("limits: {concurrent_runs: 02}"),
         "limits.concurrent_runs: must be a whole number from 1 to 64 (got 02)\n  hint: the default is 2"},
        {with_top("limits: {concurrent_runs: 1.5}"),
         "limits.concurrent_runs: must be a whole number from 1 to 64 (got 1.5)\n  hint: the default is 2"},
        {with_top("limits: {concurrent_runs: }"),
         "limits.concurrent_runs: must be a whole number from 1 to 64 (got nothing)\n  hint: the default is 2"},
        {with_top("limits: {concurrent_runs_per_server: 0}"),
         "limits.concurrent_runs_per_server: must be at least 1 (got 0)\n  hint: the default is 1"},
        {with_top("limits: {compression_threads: 257}"),
         "limits.compression_threads: must be at most 256 (got 257)\n  hint: the default is 0"},
        {with_top("limits: {nice: -1}"), "limits.nice: must be at least 0 (got -1)\n  hint: the default is 10"},
        {with_top("limits: {nice: 99999999999999999999}"),
         "limits.nice: must be at most 19 (got 99999999999999999999)\n  hint: the default is 10"},
        {with_top("limits: {nice: -99999999999999999999}"),
         "limits.nice: must be at least 0 (got -99999999999999999999)\n  hint: the default is 10"},
        {with_top("api: {socket: /run/other.sock}"), ""},
        {with_top("api: {socket: other.sock}"),
         "api.socket: must be an absolute path (got \"other.sock\")\n  hint: write the whole path from \"/\" on; \"~\" "
         "and variables are not expanded"},
        {with_top("api: {socket: /" + std::string(107, 'x') + "}"),
         "api.socket: must be at most 107 bytes long (got 108)\n  hint: Unix sockets have short paths, as "
         "/run/pgbakd/control.sock"},
    });
}

TEST_CASE("keys of a server take what they say and refuse the rest") {
    check({
        {with_server("host: db1.example.com, port: 5432, user: backup, passfile: /etc/pgpass"), ""},
        {with_server("host: /run/postgresql, sslmode: verify-full, sslrootcert: /etc/ssl/ca.pem"), ""},
        {with_server("connect_timeout: 5s, maintenance_database: template1, client: {bin: /opt/pg17/bin}"), ""},
        {with_server("host: [a, b]"), "servers.main.host: must be a host name, an address or a directory (got a list)"},
        {with_server("host: 'host=db1 user=backup'"),
         "servers.main.host: must be a host name, an address or a directory, not a connection string\n  hint: give "
         "host, port, user and password as keys of their own"},
        {with_server("port: 0"), "servers.main.port: must be at least 1 (got 0)"},
        {with_server("port: 65536"), "servers.main.port: must be at most 65535 (got 65536)"},
        {with_server("port: postgres"), "servers.main.port: must be a whole number from 1 to 65535 (got \"postgres\")"},
        {with_server("user: "), "servers.main.user: must be the name of a role (got nothing)"},
        {with_server("user: " + std::string(64, 'u')), "servers.main.user: must be at most 63 bytes long (got 64)"},
        {with_server("passfile: pgpass"),
         "servers.main.passfile: must be an absolute path (got \"pgpass\")\n  hint: write the whole path from \"/\" "
         "on; "
         "\"~\" and variables are not expanded"},
        {with_server("sslmode: verify_full"),
         "servers.main.sslmode: must be one of disable, allow, prefer, require, verify-ca, verify-full (got "
         "\"verify_full\")\n  hint: did you mean \"verify-full\"?"},
        {with_server("sslrootcert: {}"), "servers.main.sslrootcert: must be an absolute path (got a mapping)"},
        {with_server("connect_timeout: 500ms"),
         "servers.main.connect_timeout: must be at least 1s (got 500ms)\n  hint: the default is 10s"},
        {with_server("maintenance_database: ''"),
         "servers.main.maintenance_database: must be the name of a database (got \"\")\n  hint: the default is "
         "postgres"},
        {with_server("maintenance_database: \"a\\nb\""),
         "servers.main.maintenance_database: has control characters\n  hint: write it on one line, without tabs and "
         "escapes"},
        {with_server("client: {bin: bin}"),
         "servers.main.client.bin: must be an absolute path (got \"bin\")\n  hint: write the whole path from \"/\" on; "
         "\"~\" and variables are not expanded"},
        {with_server("client: /opt/pg17/bin"),
         "servers.main.client: must be a mapping (got \"/opt/pg17/bin\")\n  hint: keys here: bin, docker, ssh"},
    });
}

TEST_CASE("client programs run here, in a container or on another host") {
    const std::string not_container = "servers.main.client.docker: must be the name of a container (got \"";
    const std::string container_hint = "\")\n  hint: as docker ps shows it: letters, digits, \"_\", \".\" and \"-\"";
    const std::string not_destination = "servers.main.client.ssh: must be a destination of ssh (got \"";
    const std::string destination_hint =
        "\")\n  hint: as in ssh: backup@db1.example.com, ssh://backup@db1.example.com:2222, or a Host of ~/.ssh/config";
    check({
        {with_server("client: {docker: erp_postgres}"), ""},
        {with_server("client: {docker: 4f.x-1, bin: /usr/local/bin}"), ""},
        {with_server("client: {ssh: db1}"), ""},
        {with_server("client: {ssh: backup@db1.example.com}"), ""},
        {with_server("client: {ssh: 'ssh://backup@[2001:db8::1]:2222', bin: /usr/pgsql-17/bin}"), ""},
        {with_server("client: {docker: e}"), not_container + "e" + container_hint},
        {with_server("client: {docker: -erp}"), not_container + "-erp" + container_hint},
        {with_server("client: {docker: 'erp; id'}"), not_container + "erp; id" + container_hint},
        {with_server("client: {docker: a/b}"), not_container + "a/b" + container_hint},
        {with_server("client: {docker: [a]}"),
         "servers.main.client.docker: must be the name of a container (got a list)"},
        {with_server("client: {ssh: -oProxyCommand=id}"), not_destination + "-oProxyCommand=id" + destination_hint},
        {with_server("client: {ssh: 'db1 id'}"), not_destination + "db1 id" + destination_hint},
        {with_server("client: {ssh: 'db1;id'}"), not_destination + "db1;id" + destination_hint},
        {with_server("client: {ssh: '$(id)'}"), not_destination + "$(id)" + destination_hint},
        {with_server("client: {ssh: ''}"),
         "servers.main.client.ssh: must be a destination of ssh (USER@HOST) (got \"\")"},
        {with_server("client: {docker: erp, ssh: db1}"),
         "servers.main.client.ssh: only one of docker and ssh\n  hint: remove one of them"},
        {with_server("passfile: /etc/pgpass, client: {ssh: db1}"),
         "servers.main.passfile: is read on this host, and the client programs run on another or in a container\n"
         "  hint: use password: {file: PATH} instead"},
        {with_server("host: localhost, sslmode: require, client: {ssh: db1}"), ""},
        {with_server("host: db1.example.com, sslmode: verify-full, client: {docker: erp}"), ""},
    });
}

TEST_CASE("TLS that ends at the other host is warned of") {
    CHECK(problems_of(with_server("host: db1.example.com, sslmode: verify-full, client: {ssh: jump}")) ==
          "/etc/pgbakd.yaml:1:61: warning: servers.main.sslmode: holds for the client programs only: pgbakd's own "
          "sessions "
          "go by ssh to jump, and from there to db1.example.com without TLS\n  hint: let client.ssh be the host of the "
          "server itself, or run the programs here\n");
}

TEST_CASE("a directory of files stays where pg_dump runs") {
    const std::string job =
        "\njobs: {j: {schedule: hourly, source: {type: pg_dump, server: main, databases: all, format: ";
    CHECK(problems_of("servers: {main: {client: {docker: erp}}}" + job + "custom}}}\n") == "");
    CHECK(
        problems_of("servers: {main: {client: {docker: erp}}}" + job + "directory}}}\n") ==
        "/etc/pgbakd.yaml:2:92: jobs.j.source.format: writes its files where pg_dump runs, which is in container erp\n"
        "  hint: use format: custom or plain, or run the programs on this host\n");
    CHECK(problems_of("servers: {main: {client: {bin: /opt/bin}}}" + job + "directory}}}\n") == "");
}

TEST_CASE("keys of a job take what they say and refuse the rest") {
    check({
        {with_job("timezone: Europe/Berlin"), ""},
        {with_job("timezone: 3"), "jobs.j.timezone: no time zone named \"3\""},
        {with_job("catch_up: skip"), ""},
        {with_job("catch_up: once within 12h"), ""},
        {with_job("catch_up: all"), ""},
        {with_job("catch_up: twice"),
         "jobs.j.catch_up: must be skip, once, once within a duration, or all (got \"twice\")\n  hint: as in catch_up: "
         "once within 12h; the default is once"},
        {with_job("catch_up: once within a day"),
         "jobs.j.catch_up: \"a day\" is not a duration\n  hint: write a number and a unit: 90s, 15m, 12h, 30 days"},
        {with_job("catch_up: once within 1s"),
         "jobs.j.catch_up: the window must be at least 1m\n  hint: the default is once"},
        {with_job("overlap: queue"), ""},
        {with_job("overlap: que"),
         "jobs.j.overlap: must be one of skip, queue (got \"que\")\n  hint: the default is skip"},
        {with_job("jitter: 10m"), ""},
        {with_job("jitter: 8 days"), "jobs.j.jitter: must be at most 7 days (got 8 days)\n  hint: the default is 0s"},
        {with_job("compression: none"), ""},
        {with_job("compression: zstd:19"), ""},
        {with_job("timeout: 4h"), ""},
        {with_job("timeout: 0s"), "jobs.j.timeout: must be at least 1s (got 0s)\n  hint: the default is 12h"},
        {with_job("retries: {attempts: 1, backoff: 5s}"), ""},
        {with_job("retries: {attempts: 0}"),
         "jobs.j.retries.attempts: must be at least 1 (got 0)\n  hint: the default is 3"},
        {with_job("retries: {backoff: 2 days}"),
         "jobs.j.retries.backoff: must be at most 1 day (got 2 days)\n  hint: the default is 1m"},
        {with_job("retries: 3"), "jobs.j.retries: must be a mapping (got 3)\n  hint: keys here: attempts, backoff"},
        {with_job("retention: {local: {last: 7, days: 30, weeks: 4, daily: 7, weekly: 4, monthly: 12, yearly: 3, "
                  "at_least: 3}}"),
         ""},
        {with_job("retention: {local: {days: 0}}"),
         "jobs.j.retention.local.days: must be at least 1 (got 0)\n  hint: remove the key to keep sets for 30 days"},
        {with_job("retention: {local: {weekly: 0}}"),
         "jobs.j.retention.local.weekly: must be at least 1 (got 0)\n  hint: remove the key if you do not want this "
         "rule"},
        {with_job("retention: {local: {days: 30, at_least: 0}}"),
         "jobs.j.retention.local.at_least: must be at least 1 (got 0)\n  hint: the default is 2"},
        {with_job("retention: {local: {days: 7 days}}"),
         "jobs.j.retention.local.days: must be a whole number from 1 to 36500 (got \"7 days\")\n  hint: remove the key "
         "to keep sets for 30 days"},
        {with_job("retention: 7"), "jobs.j.retention: must be a mapping (got 7)\n  hint: keys here: local, targets"},
    });
}

TEST_CASE("keys of a source take what they say and refuse the rest") {
    check({
        {with_job("", ", exclude: [template_copy], format: plain, globals: true, fingerprint: none"), ""},
        {with_job("", ", format: directory, jobs: 4, lock_wait_timeout: 5m"), ""},
        {with_job("", ", exclude: shop"),
         "jobs.j.source.exclude: must be a list of database names (got \"shop\")\n  hint: write a list: [shop]"},
        {with_job("", ", format: tar"),
         "jobs.j.source.format: must be one of custom, plain, directory (got \"tar\")\n  hint: the default is custom"},
        {with_job("", ", globals: yes"),
         "jobs.j.source.globals: must be true or false (got \"yes\")\n  hint: the default is false"},
        {with_job("", ", format: directory, jobs: 65"),
         "jobs.j.source.jobs: must be at most 64 (got 65)\n  hint: the default is 1"},
        {with_job("", ", lock_wait_timeout: 60"),
         "jobs.j.source.lock_wait_timeout: \"60\" is not a duration\n  hint: write a number and a unit: 90s, 15m, 12h, "
         "30 days"},
        {with_job("", ", options: --no-owner"),
         "jobs.j.source.options: must be a list of options (got \"--no-owner\")\n  hint: write a list: "
         "[\"--no-owner\"]"},
        {with_job("", ", options: [[a]]"),
         "jobs.j.source.options[0]: must be an option (got a list)\n  hint: the default is []"},
        {with_job("", ", fingerprint: count"),
         "jobs.j.source.fingerprint: must be one of counts, none (got \"count\")\n  hint: did you mean \"counts\"?"},
    });
}

}  // namespace pgbakd::config
