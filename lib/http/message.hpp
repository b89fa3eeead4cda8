// A request and its answer, as values.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret.hpp"
#include "http/body.hpp"

namespace pgbakd::http {

struct Header {
    std::string name;
    std::string value;
};

// A header that authorises: its value is wiped from memory and can stand in no message.
struct SecretHeader {
    std::string name;
    base::Secret value;
};

struct Request {
    std::string method = "GET";  // upper-case letters
    // http:// or https://, percent-encoded. Its path and query may hold secrets: errors show scheme, host and port.
    std::string url;
    std::vector<Header> headers;
    std::vector<SecretHeader> secret_headers;
    // Absent: a PUT or a POST announces a length of 0, other methods none.
    std::shared_ptr<BodySource> body;
    // Where the body of an answer of 200 to 299 goes; absent: into Response::body. Other bodies always go there.
    std::shared_ptr<BodySink> sink;
    // Ask before the body is sent ("Expect: 100-continue"), so that a refusal or a redirect costs no bytes and its
    // answer is not lost in a reset. A server that does not know it costs one second.
    bool ask_first = false;
    // How long no byte may move while the other side is waited for. Absent: the client's.
    std::optional<std::chrono::milliseconds> stall_timeout;
};

struct Response {
    int status = 0;               // 200 to 599; answers below 200 are not told
    std::vector<Header> headers;  // in their order, names in lower case
    std::string body;             // empty when a sink took it

    [[nodiscard]] bool is_success() const noexcept { return status >= 200 && status < 300; }
    // The first header of that name (in lower case).
    [[nodiscard]] std::optional<std::string_view> header(std::string_view name) const noexcept;
};

// "https://host:9000" of a URL, without user, path and query: what may stand in a message. "the URL" if it has none.
[[nodiscard]] std::string origin_of(std::string_view url);

}  // namespace pgbakd::http
