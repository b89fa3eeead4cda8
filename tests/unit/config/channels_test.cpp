// The section `alerts`: each kind of channel with its keys, and which jobs are told where.
#include "support/catch.hpp"
#include "unit/config/support.hpp"

namespace pgbakd::config {

using namespace testing;
using SecretKind = model::SecretReference::Kind;

namespace {

const std::string discord = "type: discord, url: {credential: discord-webhook}";
const std::string mail =
    "type: mail, url: \"smtps://mail.example.com\", from: pgbakd@example.com, to: [dba@example.com]";

// A channel "c" with these keys; they begin in column 14 of the first line.
std::string with_channel(const std::string& keys) {
    return "alerts: {c: {" + keys + "}}\n" + with_job("");
}
std::string webhook(const std::string& more) {
    return with_channel("type: webhook, url: \"https://ops.example.com/hook\"" + more);
}

model::ChannelSpec channel_of(const std::string& text) {
    const auto channel = config_of(text)->channels.at("c");
    CHECK(channel.name == "c");
    return channel;
}
template <class Place>
Place place_of(const std::string& text) {
    return std::get<Place>(channel_of(text).place);
}

}  // namespace

TEST_CASE("a channel is told warnings of every job, unless it says otherwise") {
    const auto usual = channel_of(with_channel(discord));
    CHECK(usual.min_severity == model::Severity::warning);
    CHECK(usual.jobs.empty());
    CHECK(std::get<model::DiscordPlace>(usual.place).url.name == "discord-webhook");
    const auto all = channel_of(with_channel(discord + ", min_severity: critical, jobs: [j]"));
    CHECK(all.min_severity == model::Severity::critical);
    CHECK(all.jobs == std::vector<std::string>{"j"});
    CHECK(channel_of(webhook(", min_severity: info")).min_severity == model::Severity::info);
    check_problems({
        {with_channel("type: discord"),
         "1:10: alerts.c.url: this key is required\n  hint: the webhook's URL, as {credential: NAME}"},
        {with_channel("url: x"),
         "1:10: alerts.c.type: this key is required\n  hint: one of discord, webhook, mail, "
         "heartbeat"},
        {with_channel("type: discrod, url: x"),
         "1:20: alerts.c.type: must be one of discord, webhook, mail, heartbeat (got \"discrod\")\n  hint: did you "
         "mean \"discord\"?"},
        {with_channel(discord + ", min_severity: warn"),
         "1:79: alerts.c.min_severity: must be one of info, warning, critical (got \"warn\")\n  hint: the default is "
         "warning"},
        {with_channel(discord + ", jobs: [k]"),
         "1:72: alerts.c.jobs[0]: no job named \"k\"\n  hint: did you mean \"j\"? jobs defined here: j"},
        {with_channel(discord + ", jobs: [j, j]"),
         "1:75: alerts.c.jobs[1]: \"j\" is listed twice\n  hint: remove one of them"},
        {with_channel(discord + ", jobs: []"),
         "1:71: alerts.c.jobs: an empty list: it would be told of no job\n  hint: remove the key for all jobs, or "
         "remove the channel"},
        {with_channel(discord + ", hmac_key: {env: K}"),
         "1:65: alerts.c.hmac_key: unknown key\n  hint: keys here: type, url, min_severity, jobs"},
    });
}

TEST_CASE("a URL is a secret that must be encrypted on its way") {
    const std::string hint = "\n  hint: as in https://hooks.example.com/path";
    const auto discord_url = [](const std::string& url) { return with_channel("type: discord, url: \"" + url + "\""); };
    const auto heartbeat_url = [](const std::string& url) {
        return with_channel("type: heartbeat, url: \"" + url + "\"");
    };
    check_problems({
        {discord_url("https://discord.com/api/webhooks/1/x"), ""},
        {discord_url("https://proxy.example.com:8443/x?y=1"), ""},
        {discord_url("http://127.0.0.1:8080/x"), ""},
        {discord_url("http://[::1]:8080/x"), ""},
        {discord_url("http://localhost/x"), ""},
        {heartbeat_url("https://hc-ping.com/1234"), ""},
        {discord_url("http://discord.com/x"),
         "1:34: alerts.c.url: http:// sends it to discord.com for everybody on the way to read\n  hint: use https://"},
        {discord_url("http://127.0.0.1.example.com/x"),
         "1:34: alerts.c.url: http:// sends it to 127.0.0.1.example.com for everybody on the way to read\n  hint: use "
         "https://"},
        {heartbeat_url("http://hc-ping.com/1234"),
         "1:36: alerts.c.url: http:// sends it to hc-ping.com for everybody on the way to read\n  hint: use https://"},
        {discord_url("discord.com/x"), "1:34: alerts.c.url: must be a URL that begins with https://" + hint},
        {discord_url("ftp://discord.com/x"), "1:34: alerts.c.url: must be a URL that begins with https://" + hint},
        {discord_url("https:///x"), "1:34: alerts.c.url: must have a host behind its //, and perhaps a port" + hint},
        {discord_url("https://a:0/x"), "1:34: alerts.c.url: must have a host behind its //, and perhaps a port" + hint},
        {discord_url("https://a:99999/"),
         "1:34: alerts.c.url: must have a host behind its //, and perhaps a port" + hint},
        {discord_url("https://[1::2/"),
         "1:34: alerts.c.url: must have a host behind its //, and perhaps a port" + hint},
        {discord_url("https://a b/"),
         "1:34: alerts.c.url: has characters that a URL cannot have\n  hint: write them as %20 and the like"},
        {discord_url("https://a/#x"), "1:34: alerts.c.url: has a \"#\", which is never sent\n  hint: remove that part"},
        {discord_url("https://u:hunter2@a/"),
         "1:34: alerts.c.url: must not contain a user or a password\n  hint: a webhook can have headers: "
         "{Authorization: …}"},
        {with_channel("type: discord, url: {env: 1}"),
         "1:40: alerts.c.url.env: must be the name of an environment variable: letters, digits and \"_\""},
    });
    // What takes webhooks in the next room may have no TLS.
    const auto plain = load_text(with_channel("type: webhook, url: \"http://hooks.lan/x\""));
    REQUIRE(plain.config);
    CHECK(texts(plain) ==
          "/etc/pgbakd.yaml:1:34: warning: alerts.c.url: http:// sends it to hooks.lan for everybody on the way to "
          "read\n  hint: use https://\n");
}

TEST_CASE("a URL, a header or a key in a file that others can read is refused") {
    for (const auto* keys :
         {"type: discord, url: \"https://discord.com/hunter2\"",
          "type: webhook, url: {env: U}, headers: {X-Key: hunter2}", "type: webhook, url: {env: U}, hmac_key: hunter2",
          "type: mail, url: \"smtps://m\", from: a@b, to: [a@b], user: u, password: hunter2"}) {
        CAPTURE(keys);
        const auto result = load({{"/etc/pgbakd.yaml", with_channel(keys), true}}, host());
        CHECK(!result.config);
        CHECK(texts(result).find("a secret in a file that group or others can read") != std::string::npos);
        CHECK(texts(result).find("hunter2") == std::string::npos);
    }
}

TEST_CASE("a webhook has headers and a key to sign with") {
    const auto place = place_of<model::WebhookPlace>(
        webhook(", headers: {X-Team: data, Authorization: {env: TOKEN}}, hmac_key: {env: KEY}, ca_file: /etc/ca.pem"));
    CHECK(place.url.literal.reveal() == "https://ops.example.com/hook");
    REQUIRE(place.headers.size() == 2);
    CHECK(place.headers[0].first == "X-Team");
    CHECK(place.headers[0].second.literal.reveal() == "data");
    CHECK(place.headers[1].second.name == "TOKEN");
    CHECK(place.hmac_key.kind == SecretKind::environment);
    CHECK(place.ca_file == "/etc/ca.pem");
    check_problems({
        {webhook(", headers: [a]"),
         "1:75: alerts.c.headers: must be a mapping of HTTP headers to their values (got a list)\n  hint: as in "
         "headers: {X-Team: data}"},
        {webhook(", headers: {\"a b\": c}"),
         "1:76: alerts.c.headers.a b: is no name of an HTTP header\n  hint: as in headers: {X-Team: data}"},
        {webhook(", headers: {Content-length: 5}"),
         "1:76: alerts.c.headers.Content-length: this header is pgbakd's own to set\n  hint: remove it"},
        {webhook(", headers: {a: b, A: c}"),
         "1:82: alerts.c.headers.A: is the same header as \"a\"\n  hint: remove one"},
        {webhook(", headers: {a: \"b\\r\\nc: d\"}"),
         "1:79: alerts.c.headers.a: has control characters\n  hint: write it on one line, without tabs and escapes"},
    });
}

TEST_CASE("mail goes to addresses by a server") {
    const auto place = place_of<model::MailPlace>(with_channel(mail + ", user: u, password: {env: MAIL_PW}"));
    CHECK(place.url == "smtps://mail.example.com");
    CHECK(place.from == "pgbakd@example.com");
    CHECK(place.to == std::vector<std::string>{"dba@example.com"});
    CHECK(place.user == "u");
    CHECK(place.password.name == "MAIL_PW");
    const auto with = [](const std::string& url, const std::string& to) {
        return with_channel("type: mail, url: \"" + url + "\", from: a@b, to: " + to);
    };
    check_problems({
        {with("smtp://mail.example.com:587", "[a@b]"), ""},
        {with("smtp://[::1]:25/", "[root@localhost, a.b+c@d-e.example.com]"), ""},
        {with("mail.example.com", "[a@b]"),
         "1:31: alerts.c.url: must begin with smtps:// or smtp:// (got \"mail.example.com\")\n  hint: as in url: "
         "smtps://mail.example.com, or smtp://mail.example.com:587"},
        {with("smtp://m/x", "[a@b]"),
         "1:31: alerts.c.url: must be a mail server and perhaps a port (got \"smtp://m/x\")\n  hint: as in url: "
         "smtps://mail.example.com, or smtp://mail.example.com:587"},
        {with("smtp://u@m", "[a@b]"),
         "1:31: alerts.c.url: must not contain a user or a password\n  hint: user and password are keys of their own"},
        {with("smtp://m", "[]"),
         "1:58: alerts.c.to: an empty list: nobody gets the mail\n  hint: as in to: [dba@example.com]"},
        {with("smtp://m", "a@b"),
         "1:58: alerts.c.to: must be a list of mail addresses (got \"a@b\")\n  hint: write a "
         "list: [a@b]"},
        {with_channel(mail + ", user: u"),
         "1:10: alerts.c.password: this key is required\n  hint: an account needs its "
         "password, as {credential: NAME}"},
        {with_channel(mail + ", password: {env: P}"),
         "1:10: alerts.c.user: this key is required\n  hint: a password needs its account"},
    });
    for (const auto* address : {"a", "@b", "a@", "a@b@c", "a b@c", "a@b c", "<a@b>", "A <a@b>", "a@b,c@d", ".a@b",
                                "a..b@c", "a@b..c", "a@.b", "a\\\"b@c", "ä@b", "a@[1.2.3.4]"}) {
        CAPTURE(address);
        const auto problems = problems_of(with("smtp://m", "[\"" + std::string(address) + "\"]"));
        CHECK(problems.find("alerts.c.to[0]: must be a mail address (got ") != std::string::npos);
    }
}

TEST_CASE("a heartbeat lives by successes") {
    const auto channel = channel_of(with_channel("type: heartbeat, url: \"https://hc-ping.com/1\", jobs: [j]"));
    CHECK(channel.min_severity == model::Severity::info);
    CHECK(problems_of(with_channel("type: heartbeat, url: {env: U}, min_severity: info")).find("unknown key") !=
          std::string::npos);
}

TEST_CASE("a job names the channels that are told of it") {
    const auto job_with = [](const std::string& lines) {
        return "alerts: {ops: {" + discord + "}, night: {" + discord + "}}\n" + with_job(lines);
    };
    CHECK_FALSE(config_of(job_with(""))->jobs[0]->alerts);
    CHECK(config_of(job_with("alerts: [ops]"))->jobs[0]->alerts == std::vector<std::string>{"ops"});
    CHECK(config_of(job_with("alerts: []"))->jobs[0]->alerts == std::vector<std::string>{});
    check_problems({
        {job_with("alerts: [opz]"),
         "7:14: jobs.j.alerts[0]: no channel named \"opz\"\n  hint: did you mean \"ops\"? "
         "channels defined here: night, ops"},
        {job_with("alerts: ops"),
         "7:13: jobs.j.alerts: must be a list of names of channels (got \"ops\")\n  hint: write a list: [ops]"},
        {with_job("alerts: [ops]"),
         "6:14: jobs.j.alerts[0]: no channel named \"ops\"\n  hint: none is defined: add alerts: {ops: {type: webhook, "
         "url: \"https://ops.example.com/hook\"}}"},
    });
}

TEST_CASE("the effective configuration shows where channels lead, and none of their secrets") {
    const auto text =
        "alerts: {a: {type: heartbeat, url: \"https://hc-ping.com/hunter2\"}, b: {type: webhook, url: "
        "\"https://ops.example.com:8443/hunter2?x\", headers: {X-Team: hunter2, X-Key: {env: K}}, hmac_key: hunter2}, "
        "c: {" +
        mail + ", user: u, password: hunter2}}\n" + with_job("alerts: [a]");
    const auto written = effective_yaml(*config_of(text));
    CAPTURE(written);
    CHECK(written.find("hunter2") == std::string::npos);
    CHECK(written.find(R"(alerts:
  a:
    type: heartbeat
    url: "https://hc-ping.com/***"
  b:
    type: webhook
    url: "https://ops.example.com:8443/***"
    headers: {X-Team: "***", X-Key: {env: K}}
    hmac_key: "***"
    min_severity: warning
  c:
    type: mail
    url: smtps://mail.example.com
    user: u
    password: "***"
    from: pgbakd@example.com
    to: [dba@example.com]
    min_severity: warning
)") != std::string::npos);
    CHECK(written.find("    alerts: [a]\n") != std::string::npos);
    CHECK(effective_yaml(*config_of(written)) == written);
}

TEST_CASE("channels of several files add up, and one defined twice is an error") {
    const auto one = "alerts: {ops: {" + discord + "}}\n";
    CHECK(load({{"a", with_job(""), false}, {"b", one, false}}, host()).config->channels.size() == 1);
    CHECK(texts(load({{"a", one + with_job(""), false}, {"b", one, false}}, host())).find("alerts.ops: ") !=
          std::string::npos);
}

}  // namespace pgbakd::config
