#include "host/configuration.hpp"

#include <sys/stat.h>

#include "catalog/catalog.hpp"
#include "host/secrets.hpp"
#include "support/catch.hpp"
#include "support/temporary_directory.hpp"

namespace base = pgbakd::base;
namespace host = pgbakd::host;
namespace model = pgbakd::model;

namespace {

void write(const std::filesystem::path& path, const std::string& text) {
    std::ofstream(path) << text;
    chmod(path.c_str(), 0600);
}

constexpr base::Instant now{std::chrono::seconds{1'800'000'000}};
const std::string job = "{schedule: hourly, source: {type: pg_dump, server: s, databases: all}}\n";

}  // namespace

TEST_CASE("the file and the pieces beside it are one configuration, in name order") {
    const support::TemporaryDirectory directory;
    pgbakd::calendar::ZoneDatabase zones;
    write(directory / "pgbakd.yaml", "servers: {s: {}}\njobs:\n  a: " + job);
    std::filesystem::create_directory(directory / "pgbakd.d");
    write(directory / "pgbakd.d/20.yaml", "jobs:\n  c: " + job);
    write(directory / "pgbakd.d/10.yaml", "jobs:\n  b: " + job);
    write(directory / "pgbakd.d/ignored.yaml.bak", "nonsense: [");
    write(directory / "pgbakd.d/30.yml", "jobs:\n  d: " + job);
    const auto loaded = host::load_configuration(directory / "pgbakd.yaml", zones, now);
    REQUIRE(loaded.config);
    std::vector<std::string> names;
    for (const auto& found : loaded.config->jobs) names.push_back(found->name);
    CHECK(names == std::vector<std::string>{"a", "b", "c"});
    REQUIRE(loaded.problems.size() == 1);
    CHECK(loaded.problems[0].severity == pgbakd::config::Problem::Severity::warning);
    CHECK(pgbakd::config::problem_text(loaded.problems[0]) ==
          (directory / "pgbakd.d/30.yml").string() +
              ": warning: this file is not read\n  hint: the names of files that are end in .yaml");
}

TEST_CASE("a file that is not there is a problem with its name") {
    pgbakd::calendar::ZoneDatabase zones;
    const auto loaded = host::load_configuration("/no/such/pgbakd.yaml", zones, now);
    CHECK_FALSE(loaded.config);
    REQUIRE(loaded.problems.size() == 1);
    CHECK(pgbakd::config::problem_text(loaded.problems.front()).find("/no/such/pgbakd.yaml") != std::string::npos);
}

TEST_CASE("what is not there is told with what to do about it") {
    const support::TemporaryDirectory directory;
    pgbakd::calendar::ZoneDatabase zones;
    const auto hint_for = [&](const std::filesystem::path& file) {
        const auto loaded = host::load_configuration(file, zones, now);
        CHECK_FALSE(loaded.config);
        REQUIRE(loaded.problems.size() == 1);
        return loaded.problems.front().hint;
    };
    CHECK(hint_for(directory / "pgbakd.yaml") == "put it there, or name another one with --config at the start");
    write(directory / "pgbakd.yaml", "servers: {s: {}}\njobs:\n  a: " + job);
    std::filesystem::create_directory(directory / "pgbakd.d");
    std::filesystem::create_symlink("/nowhere/x.yaml", directory / "pgbakd.d/x.yaml");
    CHECK(hint_for(directory / "pgbakd.yaml") == "it is a link to a file that is not there: mend it or remove it");
    CHECK(hint_for("") == "name a file, or leave --config out");
    CHECK(pgbakd::config::problem_text(host::load_configuration("", zones, now).problems.front())
              .starts_with("--config is given no name\n"));
}

TEST_CASE("a named pipe among the files is a problem, and keeps nobody waiting") {
    const support::TemporaryDirectory directory;
    pgbakd::calendar::ZoneDatabase zones;
    write(directory / "pgbakd.yaml", "servers: {s: {}}\njobs:\n  a: " + job);
    std::filesystem::create_directory(directory / "pgbakd.d");
    REQUIRE(mkfifo((directory / "pgbakd.d/10.yaml").c_str(), 0600) == 0);
    const auto loaded = host::load_configuration(directory / "pgbakd.yaml", zones, now);
    CHECK_FALSE(loaded.config);
    REQUIRE(loaded.problems.size() == 1);
    CHECK(loaded.problems.front().message == (directory / "pgbakd.d/10.yaml").string() + " is not a regular file");
}

TEST_CASE("a literal secret in a file that others may read is refused") {
    const support::TemporaryDirectory directory;
    pgbakd::calendar::ZoneDatabase zones;
    const auto file = directory / "pgbakd.yaml";
    write(file, "servers: {s: {password: hunter2}}\njobs:\n  a: " + job);
    CHECK(host::load_configuration(file, zones, now).config);
    chmod(file.c_str(), 0640);
    const auto refused = host::load_configuration(file, zones, now);
    CHECK_FALSE(refused.config);
    REQUIRE(refused.problems.size() == 1);
    CHECK(refused.problems.front().message.find("hunter2") == std::string::npos);
    CHECK(refused.problems.front().hint.find("chmod") != std::string::npos);
}

TEST_CASE("a secret comes from where it is said to be, without the line end of its file") {
    const support::TemporaryDirectory directory;
    write(directory / "secret", "hunter2\n");
    model::SecretReference reference;
    reference.kind = model::SecretReference::Kind::file;
    reference.name = (directory / "secret").string();
    CHECK(host::resolve_secret(reference).reveal() == "hunter2");
    reference.name = "/no/such/secret";
    reference.location = "/etc/pgbakd.yaml:3:5: servers.s.password";
    try {
        (void)host::resolve_secret(reference);
        FAIL("a file that is not there has no secret");
    } catch (const base::Error& error) {
        CHECK(error.message().find("servers.s.password") != std::string::npos);
        CHECK(error.message().find("/no/such/secret") != std::string::npos);
    }
    reference.kind = model::SecretReference::Kind::environment;
    reference.name = "PGBAKD_TEST_NEVER_SET";
    CHECK_THROWS_AS(host::resolve_secret(reference), base::Error);
    CHECK(host::resolve_secret({}).empty());
}

TEST_CASE("a schedule that has passed is known by the daemon's state, or is an error") {
    const support::TemporaryDirectory directory;
    pgbakd::calendar::ZoneDatabase zones;
    const auto file = directory / "pgbakd.yaml";
    const auto state = directory / "state" / "state.db";
    const auto configure = [&](const std::string& schedule) {
        write(file, "timezone: UTC\nrepository: {directory: " + (directory / "state" / "sets").string() +
                        "}\nservers: {s: {}}\njobs:\n  move: {schedule: " + schedule +
                        ", source: {type: pg_dump, server: s, databases: all}}\n");
        return host::load_configuration(file, zones, now);
    };
    const std::string schedule = "once at 2026-12-01 02:00";
    // No daemon ever ran here.
    CHECK_FALSE(configure(schedule).config);
    CHECK_FALSE(std::filesystem::exists(state));
    {
        const auto catalog = pgbakd::catalog::Catalog::open(state, base::Timestamp{});
        catalog->put_job_state({"move", schedule + " [UTC]", now - std::chrono::hours(1'000), false});
    }
    const auto done = configure(schedule);
    CHECK(done.config);
    REQUIRE(done.problems.size() == 1);
    CHECK(done.problems.front().severity == pgbakd::config::Problem::Severity::warning);
    CHECK(done.problems.front().message.find("has passed") != std::string::npos);
    // Edited to another time in the past, or in another zone: nobody knows that one.
    CHECK_FALSE(configure("once at 2026-12-01 03:00").config);
    CHECK_FALSE(configure(schedule + ", timezone: Europe/Berlin").config);

    // A file that tells nothing is said to be the reason.
    write(state, "this is no database, and long enough for SQLite to look at its header, which says nothing at all");
    const auto blind = configure(schedule);
    CHECK_FALSE(blind.config);
    REQUIRE(blind.problems.size() == 2);
    CHECK(blind.problems.back().file == state.string());
}
