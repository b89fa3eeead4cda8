// Types of values that name a place on the network: URLs that alerts go to, the address that the API listens on.
#pragma once

#include <string_view>

#include "config/config.hpp"
#include "config/types.hpp"
#include "model/secret_reference.hpp"

namespace pgbakd::config {

// "localhost" and the addresses by which a host speaks to itself; without brackets.
[[nodiscard]] bool is_loopback(std::string_view host);

// "HOST:PORT", as in 127.0.0.1:8754 or [::1]:8754: an address of this host, not a name to be looked up.
[[nodiscard]] Type<ListenAddress> listen_address();

// A URL that is a secret, since who knows it may write there. Written out here it is checked, and shown without what
// stands behind its host. `plain`: what http:// to another host than this one is.
enum class PlainHttp { refused, warned };
[[nodiscard]] Type<model::SecretReference> secret_url(PlainHttp plain);

// "smtps://mail.example.com" or "smtp://…", perhaps with a port.
[[nodiscard]] Type<std::string> mail_server();

}  // namespace pgbakd::config
