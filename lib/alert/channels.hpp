// Each kind of channel, as make_channel() makes it. This folder's own.
#pragma once

#include <string>
#include <string_view>

#include "alert/channel.hpp"

namespace pgbakd::alert {

using ChannelPtr = std::shared_ptr<Channel>;

[[nodiscard]] ChannelPtr make(const std::string& name, const model::DiscordPlace& place, const Surroundings& around);
[[nodiscard]] ChannelPtr make(const std::string& name, const model::WebhookPlace& place, const Surroundings& around);
[[nodiscard]] ChannelPtr make(const std::string& name, const model::MailPlace& place, const Surroundings& around);
[[nodiscard]] ChannelPtr make(const std::string& name, const model::HeartbeatPlace& place, const Surroundings& around);

// The URL of channel `name`, without blank around it. Throws invalid_configuration if it is none.
[[nodiscard]] base::Secret read_url(const std::string& name, const model::SecretReference& url,
                                    const Surroundings& around);

// `path` ("/fail") behind that of the URL; what follows a "?" stays behind it.
[[nodiscard]] std::string with_path(std::string_view url, std::string_view path);
// `parameter` ("wait=true") in the query of the URL.
[[nodiscard]] std::string with_parameter(std::string_view url, std::string_view parameter);

}  // namespace pgbakd::alert
