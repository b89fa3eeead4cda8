#include "service/configuration_changes.hpp"

#include "calendar/zone.hpp"
#include "support/catch.hpp"

namespace calendar = pgbakd::calendar;
namespace config = pgbakd::config;
namespace service = pgbakd::service;
using Lines = std::vector<std::string>;

namespace {

std::shared_ptr<const config::Config> load(const std::string& text) {
    const config::Host host{
        [](std::string_view) -> pgbakd::base::Result<calendar::ZonePtr> { return calendar::Zone::utc(); }, "UTC",
        pgbakd::base::Instant{std::chrono::seconds{1'800'000'000}}};
    return config::load({{"test.yaml", text, false}}, host).config;
}

std::string job(const std::string& name, const std::string& schedule) {
    return "  " + name + ": {schedule: " + schedule + ", source: {type: pg_dump, server: s, databases: all}}\n";
}

const std::string servers = "servers: {s: {}}\njobs:\n";

}  // namespace

TEST_CASE("a reload tells which jobs came, went and changed") {
    const auto before = load(servers + job("a", "daily at 01:00") + job("b", "hourly") + job("c", "hourly"));
    const auto after = load(servers + job("a", "daily at 02:00") + job("c", "hourly") + job("d", "hourly"));
    REQUIRE(before);
    REQUIRE(after);
    CHECK(service::changes(*before, *after) == Lines{"job a changed", "job d added", "job b removed"});
    CHECK(service::changes(*before, *before) == Lines{});
}

TEST_CASE("another server behind a job is a change of the job") {
    const auto before = load(servers + job("a", "hourly"));
    const auto after = load("servers: {s: {host: db2}}\njobs:\n" + job("a", "hourly"));
    CHECK(service::changes(*before, *after) == Lines{"job a changed"});
    const auto limits = load("limits: {concurrent_runs: 7}\n" + servers + job("a", "hourly"));
    CHECK(service::changes(*before, *limits) == Lines{"settings changed"});
}

TEST_CASE("what only a restart can change is named with its key") {
    const auto before = load(servers + job("a", "hourly"));
    const auto after =
        load("repository: {directory: /elsewhere/r}\napi: {socket: /run/x}\n" + servers + job("a", "hourly"));
    REQUIRE(after);
    const auto problems = service::needs_restart(*before, *after, "test.yaml");
    REQUIRE(problems.size() == 2);
    CHECK(problems[0].path == "repository.directory");
    CHECK(problems[1].path == "api.socket");
    CHECK(problems[1].hint == "systemctl restart pgbakd");
    CHECK(service::needs_restart(*before, *before, "test.yaml").empty());
}
