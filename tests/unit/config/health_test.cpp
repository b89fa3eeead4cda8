// How old and how large sets may be, when it is looked, and where the API listens.
#include "support/catch.hpp"
#include "unit/config/support.hpp"

namespace pgbakd::config {

using namespace testing;
using namespace std::chrono_literals;

namespace {

std::string with_schedule(const std::string& schedule, const std::string& more = {}) {
    return "servers: {local: {}}\njobs:\n  j:\n    schedule: " + schedule +
           "\n    source: {type: pg_dump, server: local, databases: all}\n    " + more + "\n";
}

}  // namespace

TEST_CASE("a set may be as old as the schedule's longest gap and two hours more") {
    struct Row {
        const char* schedule;
        std::optional<std::chrono::milliseconds> max_age;
        const char* more = "";
    };
    // At 2026-01-10, in Shanghai, which never changes its clocks.
    for (const auto& row : std::vector<Row>{
             {"daily at 02:00", 26h},
             {"hourly", 3h},
             {"every 15 minutes", 2h + 15min},
             {"twice-daily at 01:00, 13:00", 14h},
             {"weekly on sunday at 02:00", 7 * 24h + 2h},
             {"weekdays at 02:00", 3 * 24h + 2h},
             {"monthly on 1 at 03:00", 31 * 24h + 2h},
             {"yearly on 12-31 at 23:00", 365 * 24h + 2h},
             {"daily at 02:00", 27h, "timezone: Europe/Berlin"},
             {"'0 2 29 2 *'", 1461 * 24h + 2h},
             {"milestone", std::nullopt},
             {"once at 2027-01-01 00:00", std::nullopt},
             {"daily at 02:00", 90min, "health: {max_age: 90m}"},
             {"milestone", 7 * 24h, "health: {max_age: 1 week}"},
             {"daily at 02:00", 26h, "health: {size_change: 20%}"},
         }) {
        CAPTURE(row.schedule, row.more);
        CHECK(config_of(with_schedule(row.schedule, row.more))->jobs[0]->max_age == row.max_age);
    }
}

TEST_CASE("however far in the year it is loaded, a change of clocks is reckoned with") {
    auto elsewhen = host();
    // Just behind the change of 2026; the next one comes 371 days later.
    elsewhen.now = calendar::parse_rfc3339("2026-10-26T00:00:00Z").value();
    const auto text = with_schedule("daily at 02:00", "timezone: Europe/Berlin");
    CHECK(load({{"f", text, false}}, elsewhen).config->jobs[0]->max_age == 27h);
}

TEST_CASE("health keys take what they say and refuse the rest") {
    const auto config = config_of(with_top("health: {schedule: hourly at :30, disk_usage: 95%}"));
    CHECK(config->health.schedule.canonical() == "hourly at :30");
    CHECK(config->health.disk_usage == 95);
    CHECK(config_of(with_top(""))->health.schedule.canonical() == "every 6 hours");
    CHECK(config_of(with_top(""))->health.disk_usage == 80);
    CHECK(config_of(with_job("health: {size_change: 200%}"))->jobs[0]->size_change == 200);
    CHECK(config_of(with_job(""))->jobs[0]->size_change == 50);
    const std::string percent = "health.disk_usage: must be a percentage from 1% to 100% (got ";
    check_problems({
        {with_top("health: {disk_usage: 80}"), "1:22: " + percent + "80)\n  hint: the default is 80%"},
        {with_top("health: {disk_usage: 0%}"), "1:22: " + percent + "0%)\n  hint: the default is 80%"},
        {with_top("health: {disk_usage: 101%}"), "1:22: " + percent + "101%)\n  hint: the default is 80%"},
        {with_top("health: {disk_usage: -5%}"), "1:22: " + percent + "-5%)\n  hint: the default is 80%"},
        {with_top("health: {disk_usage: 8%0}"), "1:22: " + percent + "8%0)\n  hint: the default is 80%"},
        {with_top("health: {disk_usage: '%'}"), "1:22: " + percent + "%)\n  hint: the default is 80%"},
        {with_top("health: {schedule: milestone}"),
         "1:20: health.schedule: must come again and again\n  hint: as in schedule: every 6 hours"},
        {with_top("health: {schedule: once at 2027-01-01 00:00}"),
         "1:20: health.schedule: must come again and again\n  hint: as in schedule: every 6 hours"},
        {with_top("health: {schedule: 'calendar *-*-* 02:00:00 Europe/Berlin'}"),
         "1:20: health.schedule: goes by the configuration's time zone\n  hint: remove the zone at its end"},
        {with_top("health: {max_age: 26h}"),
         "1:10: health.max_age: unknown key\n  hint: keys here: schedule, disk_usage"},
        {with_job("health: {max_age: 10s}"), "6:23: jobs.j.health.max_age: must be at least 1m (got 10s)"},
        {with_job("health: {max_age: old}"),
         "6:23: jobs.j.health.max_age: \"old\" is not a duration\n  hint: write a number and a unit: 90s, 15m, 12h, 30 "
         "days"},
        {with_job("health: 26h"),
         "6:13: jobs.j.health: must be a mapping (got \"26h\")\n  hint: keys here: max_age, size_change"},
    });
    CHECK(problems_of(with_top("health: {schedule: never}")).find("1:20: health.schedule: ") != std::string::npos);
    CHECK(problems_of(with_top("health: {schedule: '0 0 30 2 *'}")) ==
          "/etc/pgbakd.yaml:1:20: health.schedule: \"0 0 30 2 *\" never fires\n  hint: there is no such day to "
          "come: check the day, the month and the year\n");
}

TEST_CASE("the API listens by TCP where it is told to, and asks for a token") {
    const auto with_api = [](const std::string& keys) { return with_top("api: {" + keys + "}"); };
    const auto config = config_of(with_api("listen: 127.0.0.1:8754, token: {credential: api-token}"));
    REQUIRE(config->api_listen);
    CHECK(*config->api_listen == ListenAddress{"127.0.0.1", 8754});
    CHECK(config->api_token.name == "api-token");
    CHECK_FALSE(config_of(with_top(""))->api_listen);
    CHECK(config_of(with_api("listen: \"[::1]:1\", token: x"))->api_listen->text() == "[::1]:1");
    CHECK(config_of(with_api("listen: localhost:80, token: x"))->api_listen->text() == "127.0.0.1:80");
    const std::string hint = "\n  hint: as in listen: 127.0.0.1:8754, or [::1]:8754";
    check_problems({
        {with_api("listen: 127.0.0.1:8754"),
         "1:1: api.token: this key is required\n  hint: as in token: {credential: api-token}: without it everybody "
         "could give orders"},
        {with_api("listen: 8754, token: {env: T}"),
         "1:15: api.listen: must be an address and a port (got \"8754\")" + hint},
        {with_api("listen: 127.0.0.1:0, token: {env: T}"),
         "1:15: api.listen: must be an address and a port (got \"127.0.0.1:0\")" + hint},
        {with_api("listen: 127.0.0.1:65536, token: {env: T}"),
         "1:15: api.listen: must be an address and a port (got \"127.0.0.1:65536\")" + hint},
        {with_api("listen: \"::1:8754\", token: {env: T}"),
         "1:15: api.listen: must be an address and a port (got \"::1:8754\")" + hint},
        {with_api("listen: db1.example.com:8754, token: {env: T}"),
         "1:15: api.listen: must be an address of this host, not a name (got \"db1.example.com:8754\")" + hint},
        {with_api("token: {env: T}"),
         "1:14: warning: api.token: has no use without listen\n  hint: add listen: "
         "127.0.0.1:8754, or remove the key"},
        {with_api("listen: 0.0.0.0:8754, token: {env: T}"),
         "1:15: warning: api.listen: the API has no TLS: the token and all answers can be read on the way\n  hint: "
         "listen on 127.0.0.1, and put a proxy with TLS in front of it"},
    });
}

}  // namespace pgbakd::config
