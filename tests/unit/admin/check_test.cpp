// check.
#include "support.hpp"

using namespace pgbakd;
using namespace pgbakd::admin;
using namespace pgbakd::admin::testing;

TEST_CASE("check tells how each schedule was understood") {
    Machine machine;
    const auto ran = machine.run({"check"});
    CHECK(ran.exit == 0);
    CHECK(ran.err == "");
    CHECK(ran.out == machine.config_file().string() +
                         ": valid, 2 jobs, 1 server\n"
                         "shop-daily: daily at 02:00 (Europe/Berlin)\n"
                         "  next: 2026-01-20 02:00 CET, 2026-01-21 02:00 CET, 2026-01-22 02:00 CET\n"
                         "all: every 6 hours (UTC)\n"
                         "  next: 2026-01-20 06:00 UTC, 2026-01-20 12:00 UTC, 2026-01-20 18:00 UTC\n");
    const auto document = machine.run({"--json", "check"}).json();
    CHECK(document.at("valid") == true);
    CHECK(document.at("problems").as_array().empty());
    CHECK(document.at("jobs").at(0).at("fires").as_array().size() == 3);
}

TEST_CASE("check names every problem with its place and exits with 3") {
    Machine machine;
    machine.configure("  j:\n    schedule: daily at 25:00\n    sorce: 1\n");
    const auto ran = machine.run({"check"});
    CHECK(ran.exit == 3);
    CHECK(ran.out == "");
    CHECK(contains(ran.err, machine.config_file().string() + ":8:"));
    CHECK(contains(ran.err, "has 3 errors"));
    const auto json = machine.run({"--json", "check"});
    CHECK(json.exit == 3);
    CHECK(json.json().at("valid") == false);
    const auto problems = json.json().at("problems").as_array();
    REQUIRE(problems.size() == 3);
    for (const auto* key : {"file", "line", "column", "path", "message", "hint"})
        CHECK(problems[0].as_object().contains(key));
}

TEST_CASE("warnings are shown and do not fail") {
    Machine machine;
    machine.configure(
        "  j:\n    schedule: \"0 3 1 * mon\"\n    source: {type: pg_dump, server: local, databases: all}\n");
    const auto ran = machine.run({"check"});
    CHECK(ran.exit == 0);
    CHECK(contains(ran.err, "jobs.j.schedule"));
    CHECK(text(machine.run({"--json", "check"}).json().at("problems").at(0).at("severity")) == "warning");
}

TEST_CASE("a wrong configuration stops the other verbs, with all its problems") {
    Machine machine;
    machine.configure("  j:\n    schedule: daily at 25:00\n    sorce: 1\n");
    for (const std::string verb : {"next", "list", "prune", "runs", "rescan"}) {
        const auto ran = machine.run({verb});
        CHECK(ran.exit == 3);
        CHECK(contains(ran.err, "jobs.j.sorce"));
        CHECK(contains(ran.err, "pgbakctl: the configuration "));
    }
    CHECK(machine.run({"--json", "list"}).json().at("problems").as_array().size() == 3);
    const auto gone = machine.run({"--config", "/nowhere.yaml", "list"});
    CHECK(gone.exit == 3);
    CHECK(contains(gone.err, "/nowhere.yaml"));
}

TEST_CASE("check --connect reads a credential of the running service, and says how to hand one over") {
    Machine machine;
    const std::string server = "servers: {local: {";
    auto text = contents(machine.config_file());
    text.insert(text.find(server) + server.size(), "password: {credential: pg}, ");
    write(machine.config_file(), text);

    const auto without = machine.run({"check", "--connect"});
    CHECK(without.exit == 1);
    CHECK(contains(without.out, "servers.local.password: credential \"pg\" is handed over by systemd"));
    CHECK(contains(without.out, "systemd-run --pipe --wait -p User=pgbakd -p LoadCredential=pg:"));

    std::filesystem::create_directory(machine.service_credentials);
    CHECK(contains(machine.run({"check", "--connect"}).out, "credential \"pg\" does not exist"));
    write(machine.service_credentials / "pg", "hunter2\n");
    const auto with = machine.run({"check", "--connect"});
    CHECK_FALSE(contains(with.out, "credential"));
    CHECK_FALSE(contains(with.out, "hunter2"));
    CHECK(contains(with.out, "No such file or directory"));  // of the server's socket: it was got that far

    // What systemd handed to this process comes first.
    machine.environment = [&](const char* name) -> std::optional<std::string> {
        if (std::string_view(name) == "CREDENTIALS_DIRECTORY") return (machine.directory / "none").string();
        return std::nullopt;
    };
    CHECK(contains(machine.run({"check", "--connect"}).out, "credential \"pg\" does not exist"));
}

TEST_CASE("check --connect tells what fails, with a hint, and exits with 1") {
    Machine machine;  // no server listens in its directory
    const auto ran = machine.run({"check", "--connect"});
    CHECK(ran.exit == 1);
    INFO(ran.out);
    CHECK(contains(ran.out, "ok     repository: "));
    CHECK(contains(ran.out, "failed job shop-daily: "));
    CHECK(contains(ran.out, "  hint: "));
    const auto document = machine.run({"--json", "check", "--connect"}).json();
    CHECK(document.at("valid") == true);
    const auto findings = document.at("connect").as_array();
    REQUIRE(findings.size() == 4);
    CHECK(text(findings[2].at("subject")) == "job shop-daily");
    CHECK(findings[2].at("ok") == false);
}

TEST_CASE("check --effective prints every default and no secret") {
    Machine machine;
    const auto ran = machine.run({"check", "--effective"});
    CHECK(ran.exit == 0);
    CHECK(contains(ran.out, "shop-daily:"));
    CHECK(contains(ran.out, "shutdown_grace"));
}
