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
         "2:5: jobs.j.source.type: this key is required\n  hint: one of pg_dump, command, files"},
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

}  // namespace pgbakd::config
