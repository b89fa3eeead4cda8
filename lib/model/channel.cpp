#include "model/channel.hpp"

#include <array>

namespace pgbakd::model {
namespace {

std::vector<SecretReference> secrets(const DiscordPlace& place) {
    return {place.url};
}
std::vector<SecretReference> secrets(const WebhookPlace& place) {
    std::vector<SecretReference> result{place.url};
    for (const auto& [name, value] : place.headers) result.push_back(value);
    result.push_back(place.hmac_key);
    return result;
}
std::vector<SecretReference> secrets(const MailPlace& place) {
    return {place.password};
}
std::vector<SecretReference> secrets(const HeartbeatPlace& place) {
    return {place.url};
}

}  // namespace

std::string_view type_text(const ChannelSpec& channel) noexcept {
    constexpr std::array<std::string_view, std::variant_size_v<decltype(ChannelSpec::place)>> names{
        "discord", "webhook", "mail", "heartbeat"};
    return names.at(channel.place.index());
}

std::vector<SecretReference> secrets_of(const ChannelSpec& channel) {
    return std::visit([](const auto& place) { return secrets(place); }, channel.place);
}

}  // namespace pgbakd::model
