// What is typed, and what is said to it when it is wrong.
#include "admin/command_line.hpp"

#include "admin/completion.hpp"
#include "support.hpp"

using namespace pgbakd;
using namespace pgbakd::admin;
using namespace pgbakd::admin::testing;

TEST_CASE("wrong usage exits with 2 and says what is wrong and what to do") {
    struct Row {
        std::vector<std::string> arguments;
        std::string message, hint;
    };
    const std::vector<Row> rows{
        {{}, "no verb is given", "pgbakctl --help lists the verbs"},
        {{"lst"}, "\"lst\" is no verb of pgbakctl", "did you mean list?"},
        {{"--json", "frobnicate"}, "\"frobnicate\" is no verb of pgbakctl", "pgbakctl --help lists the verbs"},
        {{"run"}, "JOB is required", "see pgbakctl run --help"},
        {{"status", "now"}, "the following argument was not expected: now", "see pgbakctl status --help"},
        {{"list", "--fro", "x"}, "the following argument was not expected: --fro", "see pgbakctl list --help"},
        {{"next", "-n", "0"}, "--number: \"0\" is not a number from 1 to 100000", ""},
        {{"next", "-n", "ten"}, "--number: \"ten\" is not a number from 1 to 100000", ""},
        {{"next", "--after", "tomorrow"}, "--after: ", "write it as in 2026-01-14T02:00:00+01:00"},
        {{"next", "--schedule", "daily at 25:00"}, "--schedule: ", "hint: "},
        {{"next", "--schedule", "hourly", "--timezone", "Europe/Berln"}, "Europe/Berln", "did you mean"},
        {{"next", "--schedule", "hourly", "--timezone", ""}, "--timezone: no time zone is named", "name one"},
        {{"next", "--schedule", "calendar daily Europe/Berlni"}, "\"Europe/Berlni\" at column 16", "did you mean"},
        {{"next", "--timezone", "UTC"}, "--timezone goes with --schedule only", ""},
        {{"next", "all", "--schedule", "hourly"}, "a job and --schedule exclude each other", ""},
        {{"runs", "--limit", "99999"}, "--limit: \"99999\" is not a number from 1 to 10000", ""},
        {{"runs", "--status", "GOOD"}, "--status: \"GOOD\" is no", "known are"},
        {{"show", "shop"}, "\"shop\" is no backup set", "a set is named JOB/20260113_000001 or JOB/latest"},
        {{"pin", "shop-daily/yesterday"}, "is no backup set", "shop-daily/latest"},
        {{"completion", "tcsh"}, "no completion for \"tcsh\"", "bash, zsh and fish"},
    };
    Machine machine;
    for (const auto& row : rows) {
        const auto ran = machine.run(row.arguments);
        INFO(ran.err);
        CHECK(ran.exit == 2);
        CHECK(ran.err.starts_with("pgbakctl: "));
        CHECK(contains(ran.err, row.message));
        CHECK(contains(ran.err, row.hint));
    }
}

TEST_CASE("with --json an error is a document too, wherever --json stands") {
    Machine machine;
    for (const auto& arguments : {std::vector<std::string>{"--json", "show", "shop"}, {"show", "shop", "--json"}}) {
        const auto ran = machine.run(arguments);
        CHECK(ran.exit == 2);
        const auto error = ran.json().at("error").as_object();
        CHECK(text(error.at("code")) == "invalid_argument");
        CHECK(text(error.at("message")) == "\"shop\" is no backup set");
        CHECK(error.at("hint").is_string());
        CHECK(contains(ran.err, "pgbakctl: \"shop\" is no backup set"));
    }
    CHECK(machine.run({"--json", "frobnicate"}).json().contains("error"));
}

TEST_CASE("help and version go to standard output") {
    Machine machine;
    const auto help = machine.run_bare({"--help"});
    CHECK(help.exit == 0);
    for (const auto& verb : verbs()) CHECK(contains(help.out, "  " + verb.name + " ") == !verb.hidden);
    const auto of_next = machine.run_bare({"next", "--help"});
    CHECK(of_next.exit == 0);
    CHECK(contains(of_next.out, "-n,--number N"));
    CHECK(machine.run_bare({"--version"}).out == "pgbakctl " PGBAKD_VERSION "\n");
}

TEST_CASE("the command line is what the table of verbs says") {
    const auto command = parse_command_line({"next", "--json", "-n", "3", "shop", "--config", "/x.yaml"});
    REQUIRE(command.verb != nullptr);
    CHECK(command.verb->name == "next");
    CHECK(command.arguments.text("JOB") == "shop");
    CHECK(command.arguments.number("--number", 10, 1, 100) == 3);
    CHECK(command.json);
    CHECK(command.config == "/x.yaml");
    CHECK_FALSE(command.socket);
    CHECK_FALSE(command.arguments.has("--after"));
    CHECK(parse_command_line({"next", "--number", "3", "--number=4"}).arguments.text("--number") == "4");
    CHECK(parse_command_line({"prune", "--apply"}).arguments.has("--apply"));
    CHECK_FALSE(parse_command_line({"prune"}).arguments.has("--apply"));
}

TEST_CASE("completion knows every verb and flag, and asks for names") {
    for (const std::string shell : {"bash", "zsh", "fish"}) {
        const auto script = completion_script(shell);
        for (const auto& verb : verbs()) {
            if (verb.hidden) continue;
            CHECK(contains(script, verb.name));
            for (const auto& flag : verb.flags) CHECK(contains(script, flag.name().substr(2)));
        }
        CHECK(contains(script, "names jobs"));
    }
    Machine machine;
    machine.add_set("shop-daily", "2026-01-13T01:00:00Z");
    CHECK(machine.run({"names", "jobs"}).out == "shop-daily\nall\n");
    CHECK(machine.run({"names", "sets"}).out == "shop-daily/latest\nall/latest\nshop-daily/20260113_010000\n");
    write(machine.config_file(), "jobs: 7\n");
    const auto broken = machine.run({"names", "jobs"});
    CHECK(broken.exit == 0);
    CHECK(broken.out + broken.err == "");
}
