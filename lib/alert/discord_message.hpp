// Alerts as a message of Discord: JSON for "Execute Webhook". Pure.
//
// Facts: https://docs.discord.com/developers/resources/webhook#execute-webhook and …/resources/message#embed-object
// (embed limits, allowed mentions), as of discord/discord-api-docs in 2026.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "model/alert.hpp"

namespace pgbakd::alert {

namespace discord_limits {
// Characters. Discord does not say of which kind; we count units of UTF-16, of which there are at least as many.
inline constexpr std::size_t title = 256;
inline constexpr std::size_t description = 4096;
inline constexpr std::size_t field_name = 256;
inline constexpr std::size_t field_value = 1024;
inline constexpr std::size_t footer = 2048;
inline constexpr std::size_t fields = 25;
inline constexpr std::size_t embeds = 10;
inline constexpr std::size_t content = 2000;
inline constexpr std::size_t total = 6000;  // of title, description, fields and footer, over all embeds
}  // namespace discord_limits

// One embed: of an alert, or of a digest of several with a line for each as far as they fit, the most severe first.
// Nothing in it is markup or mentions anybody.
[[nodiscard]] std::string discord_message(const std::vector<model::Alert>& alerts);

}  // namespace pgbakd::alert
