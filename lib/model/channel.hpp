// Where alerts go, as an administrator declared it. Immutable after the configuration is loaded.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "model/secret_reference.hpp"
#include "model/severity.hpp"

namespace pgbakd::model {

struct DiscordPlace {
    SecretReference url;  // who knows it may write: a secret
};

struct WebhookPlace {
    SecretReference url;
    std::vector<std::pair<std::string, SecretReference>> headers;
    SecretReference hmac_key;
    std::filesystem::path ca_file;
};

struct MailPlace {
    std::string url;  // "smtps://host[:465]", or "smtp://host[:587]", which then must offer STARTTLS
    std::string user;
    SecretReference password;
    std::string from;
    std::vector<std::string> to;
    std::filesystem::path ca_file;
};

struct HeartbeatPlace {
    SecretReference url;  // pinged as it is on success, with "/start" and "/fail" behind its path
};

struct ChannelSpec {
    std::string name;
    std::variant<DiscordPlace, WebhookPlace, MailPlace, HeartbeatPlace> place;
    Severity min_severity = Severity::warning;
    std::vector<std::string> jobs;  // whose alerts it gets; empty: all
};

// "discord", "webhook", "mail", "heartbeat"
[[nodiscard]] std::string_view type_text(const ChannelSpec& channel) noexcept;
// All secrets it may need, those that are not given included.
[[nodiscard]] std::vector<SecretReference> secrets_of(const ChannelSpec& channel);

}  // namespace pgbakd::model
