// What an HTTP channel's answer means for what was delivered. Pure.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "alert/channel.hpp"
#include "http/message.hpp"

namespace pgbakd::alert {

// `origin` names the service in messages ("https://host"): nothing of the answer's body or headers stands in them, as
// it may repeat the URL. `hint_when_refused` says what to do about 401, 403, 404 and 410.
//
// 2xx: delivered; 408, 425, 429 and 5xx: try again; 400, 413 and 422: rejected; all others, redirects included:
// refused. The pause is Retry-After (RFC 9110, 10.2.3), and Discord's: X-RateLimit-Reset-After where nothing remains of
// the rate, and `retry_after` of the body; the longest of them. https://docs.discord.com/developers/topics/rate-limits
[[nodiscard]] Delivery judge(const http::Response& response, const std::string& origin,
                             std::string_view hint_when_refused, base::Timestamp now);

// What kept an answer from coming: passing errors are tried again, all others need somebody.
[[nodiscard]] Delivery judge(const base::Error& error);

// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110, 5.6.7; the one form that is still written).
[[nodiscard]] std::optional<base::Timestamp> parse_http_date(std::string_view text);

}  // namespace pgbakd::alert
