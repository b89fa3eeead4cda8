#include "model/alert.hpp"

#include "model/channel.hpp"
#include "model/finding.hpp"
#include "unit/model/support.hpp"

using namespace pgbakd;
using namespace std::chrono_literals;

namespace {

model::Alert full_alert() {
    model::Alert alert;
    alert.id = "01JHAF7Z8QZX3M5N7P9RATCVEW";
    alert.kind = model::AlertKind::finding_raised;
    alert.severity = model::Severity::critical;
    alert.was = model::Severity::warning;
    alert.at = at("2026-01-12T16:00:01.250Z");
    alert.host = "db1";
    alert.job = "shop-daily";
    alert.run = run_id().text();
    alert.set = "shop-daily/20260113_000001";
    alert.place = "r2";
    alert.finding = "too_old";
    alert.title = "shop-daily: too old";
    alert.message = "pg_dump: \"shöp\"\n\x01";
    alert.hint = "look at it";
    alert.bytes = 18'446'744'073'709'551'615U;
    alert.previous_bytes = 0;
    alert.duration = 4102ms;
    alert.previous_duration = 0ms;
    return alert;
}

model::SecretReference named(const std::string& name) {
    model::SecretReference reference;
    reference.kind = model::SecretReference::Kind::credential;
    reference.name = name;
    return reference;
}

std::vector<std::string> names_of(const model::ChannelSpec& channel) {
    std::vector<std::string> names;
    for (const auto& secret : model::secrets_of(channel)) names.push_back(secret.name);
    return names;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("severities, findings and alerts are known by their words") {
    using namespace model;
    for (const auto severity : {Severity::info, Severity::warning, Severity::critical})
        CHECK(parse_severity(severity_text(severity)).value() == severity);
    CHECK(Severity::info < Severity::warning);
    CHECK(Severity::warning < Severity::critical);
    for (int i = 0; i <= static_cast<int>(FindingKind::check_incomplete); ++i) {
        const auto kind = static_cast<FindingKind>(i);
        CHECK(parse_finding_kind(finding_text(kind)).value() == kind);
    }
    for (int i = 0; i <= static_cast<int>(AlertKind::test); ++i) {
        const auto kind = static_cast<AlertKind>(i);
        CHECK(parse_alert_kind(alert_text(kind)).value() == kind);
    }
    const auto unknown = parse_severity("fatal");
    REQUIRE_FALSE(unknown);
    CHECK(unknown.error().message() == "\"fatal\" is no severity");
    CHECK(unknown.error().hint() == "known are info, warning, critical");
    CHECK_FALSE(parse_finding_kind(""));
    CHECK_FALSE(parse_alert_kind("Test"));
}

TEST_CASE("an alert says what it said, after a round trip") {
    const auto full = full_alert();
    CHECK(model::parse_alert(model::to_json(full)).value() == full);

    model::Alert bare;
    bare.id = "01JHAF7Z8QZX3M5N7P9RATCVEX";
    bare.kind = model::AlertKind::test;
    CHECK(model::parse_alert(model::to_json(bare)).value() == bare);
}

TEST_CASE("an alert in JSON") {
    auto alert = full_alert();
    alert.message = "no such database";
    alert.previous_duration.reset();
    alert.set.clear();
    CHECK(
        model::to_json(alert) ==
        R"({"format":"pgbakd-alert/1","id":"01JHAF7Z8QZX3M5N7P9RATCVEW","kind":"finding_raised","severity":"critical","was":"warning",)"
        R"("at":"2026-01-12T16:00:01.250Z","host":"db1","job":"shop-daily","run":"01JHAF7Z8QZX3M5N7P9RATCVEW",)"
        R"("set":null,"place":"r2","finding":"too_old","title":"shop-daily: too old","message":"no such database",)"
        R"("hint":"look at it","bytes":18446744073709551615,"previous_bytes":0,"duration_seconds":4.102,)"
        R"("previous_duration_seconds":null})");
}

TEST_CASE("the longest alert can be read back, cut at a character") {
    auto alert = full_alert();
    // The worst there is: six bytes of JSON for each.
    alert.message = std::string(1'000'000, '\x01');
    for (auto* text :
         {&alert.host, &alert.job, &alert.run, &alert.set, &alert.place, &alert.finding, &alert.title, &alert.hint})
        *text = std::string(100'000, '\x02');
    const auto worst = model::parse_alert(model::to_json(alert));
    REQUIRE(worst);
    CHECK(worst->message.size() == 16 * 1024);

    alert.message = "a";
    for (int i = 0; i < 10'000; ++i) alert.message += "\U0001F525";
    const auto read = model::parse_alert(model::to_json(alert));
    REQUIRE(read);
    CHECK(read->message.ends_with("\U0001F525…"));
    CHECK(model::parse_alert(model::to_json(*read)).value() == *read);
}

TEST_CASE("bytes that are no UTF-8, and marks of direction, come through JSON") {
    auto alert = full_alert();
    alert.message = "caf\xe9 \u202e\u2028 end";
    const auto read = model::parse_alert(model::to_json(alert));
    REQUIRE(read);
    CHECK(read->message == "caf%E9 \u202e\u2028 end");
}

TEST_CASE("what is no alert is refused, with the place") {
    struct Row {
        std::string from, to, message;
    };
    const auto text = model::to_json(full_alert());
    for (const auto& [from, to, message] : std::vector<Row>{
             {"pgbakd-alert/1", "pgbakd-alert/2", "the alert has the format pgbakd-alert/2; known is pgbakd-alert/1"},
             {"pgbakd-alert/1", "x", "alert.format: \"x\" is no format of an alert"},
             {"\"critical\"", "\"loud\"", "alert.severity: \"loud\" is no severity"},
             {"\"finding_raised\"", "7", "alert.kind: is not a text"},
             {"\"01JHAF7Z8QZX3M5N7P9RATCVEW\",\"kind\"", "\"a\\r\\nBcc: x\",\"kind\"", "alert.id: is no identifier"},
             {"\"01JHAF7Z8QZX3M5N7P9RATCVEW\",\"kind\"", "null,\"kind\"", "alert.id: is missing"},
             {"18446744073709551615", "-1", "alert.bytes: is not a whole number of at least 0"},
             {"4.102", "\"4\"", "alert.duration_seconds: is not a number"},
         }) {
        auto changed = text;
        REQUIRE(changed.find(from) != std::string::npos);
        changed.replace(changed.find(from), from.size(), to);
        const auto read = model::parse_alert(changed);
        INFO(message);
        REQUIRE_FALSE(read);
        CHECK(read.error().message() == message);
    }
    CHECK(model::parse_alert("").error().code() == base::ErrorCode::corrupt);
    CHECK(model::parse_alert("[]").error().message() == "alert is not a JSON object");
    CHECK(model::parse_alert(std::string(300 * 1024, ' ')).error().message() ==
          "alert: the JSON text is larger than 256 KiB");
}

TEST_CASE("each kind of channel has its word, and names all secrets that it needs") {
    using namespace model;
    ChannelSpec channel;
    channel.place = DiscordPlace{named("discord")};
    CHECK(type_text(channel) == "discord");
    CHECK(names_of(channel) == Names{"discord"});
    WebhookPlace webhook;
    webhook.url = named("hook");
    webhook.headers = {{"X-Team", named("team")}, {"Authorization", named("token")}};
    channel.place = webhook;
    CHECK(type_text(channel) == "webhook");
    CHECK(names_of(channel) == Names{"hook", "team", "token", ""});
    MailPlace mail;
    mail.password = named("password");
    channel.place = mail;
    CHECK(type_text(channel) == "mail");
    CHECK(names_of(channel) == Names{"password"});
    channel.place = HeartbeatPlace{named("pulse")};
    CHECK(type_text(channel) == "heartbeat");
    CHECK(names_of(channel) == Names{"pulse"});
}
