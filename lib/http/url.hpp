// Where a URL leads, as libcurl reads it: so that what is checked is what is asked.
#pragma once

#include <optional>
#include <string>

namespace pgbakd::http {

struct Destination {
    std::string scheme;  // in lower case: "https"
    std::string host;    // in lower case; an IPv6 address in brackets
};
// Nothing for what is no URL with a scheme and a host, and for one with a user or a password: they pass for the host.
[[nodiscard]] std::optional<Destination> destination_of(const std::string& url);

}  // namespace pgbakd::http
