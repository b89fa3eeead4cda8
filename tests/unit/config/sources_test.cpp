// The sources that are no databases: their keys, and what is wrong with them.
#include "support/catch.hpp"
#include "unit/config/support.hpp"

namespace pgbakd::config {

using namespace testing;
using SecretKind = model::SecretReference::Kind;

namespace {

// A whole configuration with a job "j" that has this source; its keys begin in column 14 of line 2.
std::string with_source(const std::string& keys) {
    return "jobs: {j: {schedule: hourly,\n    source: {" + keys + "}}}\n";
}
std::string command(const std::string& keys) {
    return with_source("type: command, " + keys);
}

}  // namespace

TEST_CASE("a command runs in the root directory, and means well with 0, unless it says otherwise") {
    const auto usual =
        std::get<model::CommandSource>(config_of(command("argv: [redis-cli, --rdb, \"-\"]"))->jobs[0]->source);
    CHECK(usual.argv == std::vector<std::string>{"redis-cli", "--rdb", "-"});
    CHECK(usual.working_directory == "/");
    CHECK(usual.exit_codes == std::vector<int>{0});
    CHECK(usual.extension == "out");
    CHECK(usual.environment.empty());
    const auto all = std::get<model::CommandSource>(
        config_of(command("argv: [/opt/bin/save], working_directory: /srv, exit_codes: [3, 0, 3], extension: tar, "
                          "environment: {MODE: full, PASSWORD: {env: PW}}"))
            ->jobs[0]
            ->source);
    CHECK(all.working_directory == "/srv");
    CHECK(all.exit_codes == std::vector<int>{0, 3});
    CHECK(all.extension == "tar");
    REQUIRE(all.environment.size() == 2);
    CHECK(all.environment[0].name == "MODE");
    CHECK(all.environment[0].value.literal.reveal() == "full");
    CHECK(all.environment[1].value.kind == SecretKind::environment);
}

TEST_CASE("a command that cannot be meant so is refused") {
    check_problems({
        {command("argv: []"),
         "2:35: jobs.j.source.argv: an empty list: there is nothing to run\n  hint: as in argv: [redis-cli, --rdb, "
         "\"-\"]; no shell reads it"},
        {command("argv: pg_dumpall"),
         "2:35: jobs.j.source.argv: must be a program and its arguments, as a list (got \"pg_dumpall\")\n  hint: as in "
         "argv: [redis-cli, --rdb, \"-\"]; no shell reads it"},
        {command("argv: [\"redis-cli --rdb -\"]"),
         "2:36: jobs.j.source.argv[0]: a whole command in one element\n  hint: write one element per word, as in argv: "
         "[redis-cli, --rdb, \"-\"]"},
        {command("argv: [./save]"),
         "2:36: jobs.j.source.argv[0]: must be a path from \"/\" on, or the name of a program\n  hint: whose directory "
         "a daemon starts in is not where you are"},
        {command("argv: [a], exit_codes: [256]"),
         "2:53: jobs.j.source.exit_codes[0]: must be at most 255 (got 256)\n  hint: the default is [0]"},
        {command("argv: [a], extension: a/b"),
         "2:51: jobs.j.source.extension: must be an extension of a file (got \"a/b\")\n  hint: letters, digits, \".\", "
         "\"_\" and \"-\", at most 32, as in extension: rdb"},
        {command("argv: [a], extension: sha256"),
         "2:51: jobs.j.source.extension: must not end with sha256: such files mean something here\n  hint: the default "
         "is out"},
        {command("argv: [a], environment: {1A: x}"),
         "2:54: jobs.j.source.environment.1A: is no name of a variable\n  hint: letters, digits and _, no digit first"},
        {command("argv: [a], server: local"),
         "2:40: jobs.j.source.server: unknown key\n  hint: keys here: type, argv, environment, working_directory, "
         "exit_codes, extension"},
        {with_source("argv: [a]"),
         "2:5: jobs.j.source.type: this key is required\n  hint: one of pg_dump, pg_basebackup, taosdump, command, "
         "files"},
    });
}

TEST_CASE("files are given by paths, once each, and what is left out by patterns") {
    const auto files = [](const std::string& keys) { return with_source("type: files, " + keys); };
    const auto usual = std::get<model::FilesSource>(config_of(files("paths: [/srv/a/, /srv/b/../c]"))->jobs[0]->source);
    CHECK(usual.paths == std::vector<std::filesystem::path>{"/srv/a", "/srv/c"});
    CHECK(usual.exclude.empty());
    CHECK_FALSE(usual.other_file_systems);
    const auto written =
        config_of(files("paths: [\"/srv/a b\"], exclude: [\"*.tmp\", a/**], redact: [\"*_KEY\"], "
                        "other_file_systems: true"));
    const auto again = config_of(effective_yaml(*written));
    CHECK(std::get<model::FilesSource>(again->jobs[0]->source) ==
          std::get<model::FilesSource>(written->jobs[0]->source));
    check_problems({
        {files("paths: []"),
         "2:34: jobs.j.source.paths: an empty list: there is nothing to back up\n  hint: as in paths: "
         "[/srv/erp/data]"},
        {files("paths: /srv"),
         "2:34: jobs.j.source.paths: must be a list of absolute paths (got \"/srv\")\n  hint: as in "
         "paths: [/srv/erp/data]"},
        {files("paths: [/srv, /srv/]"),
         "2:41: jobs.j.source.paths[1]: \"/srv/\" is listed twice\n  hint: remove one of them"},
        {files("paths: [/srv], exclude: [\"[a\"]"),
         "2:52: jobs.j.source.exclude[0]: \"[a\" has a [ without its ]\n  hint: as in exclude: [\"*.tmp\", "
         "\"cache/**\"]"},
        {files("paths: [/srv], redact: [\"\"]"),
         "2:51: jobs.j.source.redact[0]: must be a pattern (got \"\")\n  hint: the default is []"},
    });
}

TEST_CASE("files may be saved when they change, and nothing else") {
    const auto job = [](const std::string& keys) {
        return "jobs: {j: {" + keys + ", source: {type: files, paths: [/srv]}}}\n";
    };
    const auto usual = config_of(job("schedule: on change"))->jobs[0];
    CHECK(usual->schedule.kind() == calendar::ScheduleKind::on_change);
    CHECK_FALSE(usual->settle);
    CHECK_FALSE(usual->max_age);
    CHECK(config_of(job("schedule: on change, settle: 1 min"))->jobs[0]->settle == std::chrono::minutes(1));
    check_problems({
        {job("schedule: hourly, settle: 5s"),
         "1:38: jobs.j.settle: only with schedule: on change\n  hint: remove the "
         "key, or write schedule: on change"},
        {job("schedule: on change, settle: 0s"), "1:41: jobs.j.settle: must be at least 1s (got 0s)"},
    });
}

TEST_CASE("a variable whose name says that it is a secret lies open in no file that others can read") {
    const auto text = command("argv: [a], environment: {MODE: full, REDIS_PASSWORD: sesame}");
    const auto open = texts(load({{"/etc/pgbakd.yaml", text, true}}, host()));
    CHECK(open.find("environment.REDIS_PASSWORD: a secret in a file that group or others can read") !=
          std::string::npos);
    CHECK(open.find("MODE") == std::string::npos);
    CHECK(open.find("sesame") == std::string::npos);
    const auto config = config_of(text);
    CHECK(effective_yaml(*config).find("sesame") == std::string::npos);
}

TEST_CASE("encryption names who can decrypt, in one way") {
    const std::string key = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";
    const auto with = [](const std::string& value) { return with_job("encryption: " + value); };
    CHECK_FALSE(config_of(with_job(""))->jobs[0]->encryption.is_on());
    const auto age = config_of(with("{age: [" + key + "]}"))->jobs[0]->encryption;
    CHECK(age.age == std::vector<std::string>{key});
    CHECK(age.method() == "age");
    CHECK(config_of(with("{age_recipients_file: /etc/pgbakd/recipients}"))->jobs[0]->encryption.method() == "age");
    CHECK(config_of(with("{gpg: [FD565CEADCECA556]}"))->jobs[0]->encryption.method() == "gpg");
    const auto fault = [&with](const std::string& value) {
        const auto text = problems_of(with(value));
        const auto at = text.find("jobs.j.");
        return at == std::string::npos ? text : text.substr(at, text.find('\n', at) - at);
    };
    CHECK(fault("{}") == "jobs.j.encryption: names nobody who could decrypt");
    CHECK(fault("{age: []}") == "jobs.j.encryption.age: an empty list: nobody could decrypt");
    CHECK(fault("{age: [" + key + "], gpg: [FD565CEADCECA556]}") ==
          "jobs.j.encryption: must have one of the keys age, age_recipients_file and gpg");
    CHECK(fault("{age: [dba@example.com]}") == "jobs.j.encryption.age[0]: is no recipient of age");
    CHECK(
        fault("{age: [AGE-SECRET-KEY-1QQQ]}") ==
        "jobs.j.encryption.age[0]: this is a secret key: it belongs to whoever restores, and nowhere near the backups");
    CHECK(problems_of(with("{age: [AGE-SECRET-KEY-1QQQ]}")).find("1QQQ") == std::string::npos);
    CHECK(fault("{age_recipients_file: recipients}")
              .starts_with("jobs.j.encryption.age_recipients_file: must be an absolute path"));
}

TEST_CASE("a whole cluster is backed up at once and without a limit, unless it says otherwise") {
    const auto source = [](const std::string& keys) {
        const auto config =
            config_of("servers: {main: {}}\n" + with_source("type: pg_basebackup, server: main" + keys));
        return std::get<model::PgBasebackupSource>(config->jobs[0]->source);
    };
    CHECK(source("").server == "main");
    CHECK(source("").checkpoint == model::Checkpoint::fast);
    CHECK(source("").max_rate == 0);
    CHECK(source(", checkpoint: spread").checkpoint == model::Checkpoint::spread);
    CHECK(source(", max_rate: 100 MiB/s").max_rate == std::uint64_t{100} << 20U);
    CHECK(source(", max_rate: 32 KiB/s").max_rate == std::uint64_t{32} << 10U);
    CHECK(source(", max_rate: 1 GiB/s").max_rate == std::uint64_t{1} << 30U);
}

TEST_CASE("a rate that a server does not take is refused, and so are keys that only dumps have") {
    const auto backup = [](const std::string& keys) {
        return "jobs: {j: {schedule: hourly,\n    source: {type: pg_basebackup, server: main, " + keys +
               "}}}\nservers: {main: {}}\n";
    };
    const std::string place = "2:59: jobs.j.source.max_rate: ";
    check_problems({
        {backup("max_rate: 31 KiB/s"),
         place + "must be a rate from 32 KiB/s to 1 GiB/s (got \"31 KiB/s\")\n  hint: the server takes no other; "
                 "without the key there is no limit"},
        {backup("max_rate: 2 GiB/s"),
         place + "must be a rate from 32 KiB/s to 1 GiB/s (got \"2 GiB/s\")\n  hint: the server takes no other; "
                 "without the key there is no limit"},
    });
    CHECK(problems_of(backup("databases: all")).find("databases: unknown key") != std::string::npos);
    CHECK(problems_of(backup("checkpoint: now")).find("must be one of fast, spread") != std::string::npos);
}

// A whole configuration with a TDengine server that has these keys, and a job "j" that dumps it; the server's keys
// begin in column 31 of line 1, the source's in column 49 of line 2.
namespace {
std::string ticks(const std::string& server, const std::string& source = "databases: all",
                  const std::string& job = {}) {
    return "servers: {ticks: {type: tdengine" + server +
           "}, local: {}}\njobs: {j: {schedule: hourly, source: {type: taosdump, server: ticks, " + source + "}" + job +
           "}}\n";
}
}  // namespace

TEST_CASE("a TDengine server has defaults of its own, and databases by name or all") {
    const auto config = config_of(ticks(""));
    const auto& server = config->servers.at("ticks");
    CHECK(server.type == model::ServerType::tdengine);
    CHECK(config->servers.at("local").type == model::ServerType::postgresql);
    CHECK(server.host == "localhost");
    CHECK(server.port == 6030);
    CHECK(server.user == "root");
    CHECK(server.password.kind == SecretKind::none);
    CHECK(std::get<model::TaosdumpSource>(config->jobs[0]->source).all_databases);
    const auto other =
        config_of(ticks(", host: 10.1.0.4, port: 6031, user: backup, password: {env: PW}, connect_timeout: 3s, client: "
                        "{bin: /opt/taos}",
                        "databases: [market_data, log]"));
    CHECK(other->servers.at("ticks").client.directory == "/opt/taos");
    CHECK(std::get<model::TaosdumpSource>(other->jobs[0]->source).databases ==
          std::vector<std::string>{"market_data", "log"});
    CHECK(effective_yaml(*config_of(effective_yaml(*other))) == effective_yaml(*other));
}

TEST_CASE("what TDengine does not have is refused by name") {
    check_problems({
        {ticks(", sslmode: require"),
         "1:35: servers.ticks.sslmode: not for servers of type tdengine\n  hint: remove the key: it is for PostgreSQL "
         "servers"},
        {ticks(", maintenance_database: x"),
         "1:35: servers.ticks.maintenance_database: not for servers of type tdengine\n  hint: remove the key: it is "
         "for "
         "PostgreSQL servers"},
        {ticks(", host: /run/taos"),
         "1:41: servers.ticks.host: must be a host name or an address (got \"/run/taos\")\n  hint: port, user and path "
         "are "
         "keys of their own"},
        {ticks(", client: {docker: tdengine}"), ""},
        {ticks(", client: {ssh: backup@db1, bin: /opt/taos}"), ""},
        {ticks(", client: {ssh: db1, docker: tdengine}"),
         "1:49: servers.ticks.client.ssh: only one of docker and ssh\n  hint: remove one of them"},
        {ticks(", client: {host: x}"),
         "1:44: servers.ticks.client.host: unknown key\n  hint: keys here: bin, docker, ssh"},
        {ticks("", "databases: []"),
         "2:81: jobs.j.source.databases: an empty list: there is nothing to back up\n  hint: write databases: all, or "
         "a list "
         "as in [shop, crm]"},
        {ticks("", "databases: [\"a,b\"]"),
         "2:82: jobs.j.source.databases[0]: must be the name of a database (got \"a,b\")\n  hint: as `show databases` "
         "prints "
         "it, each an element of its own"},
        {ticks("", "databases: all", ", keep_local: never, targets: [nas]") +
             "targets: {nas: {type: directory, path: /mnt/nas}}\n",
         "2:99: jobs.j.keep_local: taosdump needs room on this host's disk\n  hint: use keep_local: false"},
    });
    CHECK(problems_of("servers: {x: {type: tdengin}}\n" + with_job("").substr(21))
              .find("must be one of postgresql, tdengine") != std::string::npos);
}

TEST_CASE("a program is not sent to a server of the other kind") {
    check_problems({
        {"servers: {local: {}}\njobs: {j: {schedule: hourly, source: {type: taosdump, server: local, databases: "
         "all}}}\n",
         "2:63: jobs.j.source.server: \"local\" is a PostgreSQL server, which taosdump does not speak to\n  hint: give "
         "the "
         "server type: tdengine, or the source type: pg_dump"},
        {"servers: {ticks: {type: tdengine}}\njobs: {j: {schedule: hourly, source: {type: pg_dump, server: ticks, "
         "databases: "
         "all}}}\n",
         "2:62: jobs.j.source.server: \"ticks\" is a TDengine server, which pg_dump does not speak to\n  hint: as in "
         "source: "
         "{type: taosdump, server: NAME, databases: all}"},
        {"jobs: {j: {schedule: hourly, source: {type: taosdump, server: ticks, databases: all}}}\n",
         "1:63: jobs.j.source.server: no server named \"ticks\"\n  hint: none is defined: add servers: {ticks: {type: "
         "tdengine, host: "
         "ticks.example.com}}"},
    });
}

}  // namespace pgbakd::config
