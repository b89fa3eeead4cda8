#include "config/channel_keys.hpp"

#include "config/channel_types.hpp"
#include "config/domain_types.hpp"
#include "config/network_types.hpp"

namespace pgbakd::config {
namespace {

using model::ChannelSpec;
using model::DiscordPlace;
using model::HeartbeatPlace;
using model::MailPlace;
using model::WebhookPlace;

// From a channel to a setting of its kind of place.
template <class Place, class Value>
auto of(Value Place::*member) {
    return [member](auto& channel) -> auto& {
        return std::get<Place>(channel.place).*member;
    };
}

Fallback type_is(const std::string& word) {
    return required("type: " + word);
}

Key<ChannelSpec> min_severity_key() {
    return key<ChannelSpec>("min_severity", &ChannelSpec::min_severity, severity(), is("warning"),
                            "What it is told: `critical` (somebody must act), `warning` and above, or `info` and above "
                            "(successes too).");
}

Key<ChannelSpec> jobs_key() {
    return key<ChannelSpec>("jobs", &ChannelSpec::jobs,
                            set_of(text("the name of a job", 63), "a list of names of jobs"), absent("all"),
                            "The jobs it is told of. What is of no job, as a full disk, goes everywhere.");
}

template <class Place>
Key<ChannelSpec> ca_file() {
    return key<ChannelSpec>("ca_file", of(&Place::ca_file), absolute_path(), absent("the system's"),
                            "Certificates of the authorities that may vouch for the server.");
}

const Section<ChannelSpec>& discord_keys() {
    static const Section<ChannelSpec> section(
        {.name = {}, .place = DiscordPlace{}, .jobs = {}},
        {
            kind_key<ChannelSpec>("type", "discord", {}, type_is("discord"), "A channel of a Discord server."),
            key<ChannelSpec>("url", of(&DiscordPlace::url), secret_url(PlainHttp::refused),
                             required("the webhook's URL, as {credential: NAME}"),
                             "The webhook's URL (channel settings, Integrations). Who knows it may write there: see "
                             "\"Secrets\" above."),
            min_severity_key(),
            jobs_key(),
        });
    return section;
}

const Section<ChannelSpec>& webhook_keys() {
    static const Section<ChannelSpec> section(
        {.name = {}, .place = WebhookPlace{}, .jobs = {}},
        {
            kind_key<ChannelSpec>("type", "webhook", {}, type_is("webhook"), "A program that takes JSON by HTTP POST."),
            key<ChannelSpec>("url", of(&WebhookPlace::url), secret_url(PlainHttp::warned),
                             required("as in url: https://ops.example.com/hook"),
                             "Where the JSON of each alert is sent; see \"Secrets\" above."),
            key<ChannelSpec>("headers", of(&WebhookPlace::headers), headers(), absent("none"),
                             "HTTP headers to send along, values as for secrets: `{X-Team: data, Authorization: "
                             "{credential: hook-token}}`."),
            key<ChannelSpec>("hmac_key", of(&WebhookPlace::hmac_key), secret(), absent("no signature"),
                             "Key of the signature `X-Pgbakd-Signature: sha256=…` over the body."),
            ca_file<WebhookPlace>(),
            min_severity_key(),
            jobs_key(),
        });
    return section;
}

const Section<ChannelSpec>& mail_keys() {
    static const Section<ChannelSpec> section(
        {.name = {}, .place = MailPlace{}, .jobs = {}},
        {
            kind_key<ChannelSpec>("type", "mail", {}, type_is("mail"), "Mail by a server of yours."),
            key<ChannelSpec>("url", of(&MailPlace::url), mail_server(), required("as in url: smtps://mail.example.com"),
                             "The mail server: `smtps://HOST` (TLS from the start, port 465), or `smtp://HOST` (port "
                             "587), which must offer STARTTLS."),
            key<ChannelSpec>("user", of(&MailPlace::user), text("the name of an account", 255), absent("no login"),
                             "Account to log in as."),
            key<ChannelSpec>("password", of(&MailPlace::password), secret(), absent("none"),
                             "Password of the account; see \"Secrets\" above."),
            key<ChannelSpec>("from", of(&MailPlace::from), mail_address(), required("as in from: pgbakd@example.com"),
                             "The sender's address."),
            key<ChannelSpec>("to", of(&MailPlace::to), mail_addresses(), required("as in to: [dba@example.com]"),
                             "Who gets the mail."),
            ca_file<MailPlace>(),
            min_severity_key(),
            jobs_key(),
        });
    return section;
}

const Section<ChannelSpec>& heartbeat_keys() {
    static const Section<ChannelSpec> section(
        // A success is what it lives by.
        {.name = {}, .place = HeartbeatPlace{}, .min_severity = model::Severity::info, .jobs = {}},
        {
            kind_key<ChannelSpec>("type", "heartbeat", {}, type_is("heartbeat"),
                                  "A service that raises the alarm when it hears nothing."),
            key<ChannelSpec>(
                "url", of(&HeartbeatPlace::url), secret_url(PlainHttp::refused),
                required("as in url: https://hc-ping.com/UUID"),
                "Pinged when a run succeeds; with `/start` behind it when one begins, with `/fail` and the "
                "cause when one fails. See \"Secrets\" above."),
            jobs_key(),
        });
    return section;
}

template <class Place>
bool is_a(const ChannelSpec& channel) {
    return std::holds_alternative<Place>(channel.place);
}

}  // namespace

std::vector<Kind<ChannelSpec>> channel_kinds() {
    return {{"discord", &discord_keys(), is_a<DiscordPlace>},
            {"webhook", &webhook_keys(), is_a<WebhookPlace>},
            {"mail", &mail_keys(), is_a<MailPlace>},
            {"heartbeat", &heartbeat_keys(), is_a<HeartbeatPlace>}};
}

}  // namespace pgbakd::config
