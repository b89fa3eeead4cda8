#include "http/failure.hpp"

#include <fmt/format.h>

#include <system_error>

#include "base/text.hpp"
#include "base/units.hpp"

namespace pgbakd::http {
namespace {

using base::Error;
using base::ErrorCode;
using enum base::Persistence;

constexpr std::string_view look_at_network = "check that the service runs, and the network between it and this host";

std::string system_text(int number) {
    return number == 0 ? std::string() : ": " + base::to_lower(std::generic_category().message(number));
}

std::string in_brackets(const std::string& detail) {
    return detail.empty() ? detail : " (" + base::clamp_utf8(base::printable(detail), 300) + ")";
}

Error timed_out(const Ending& ending) {
    return {ErrorCode::timed_out,
            ending.origin + (ending.connected ? ": no answer in time" : ": no connection in time"),
            std::string(look_at_network), passing};
}

Error broken_off(const Ending& ending, std::string_view what) {
    return {ErrorCode::unreachable, fmt::format("{}: {}{}", ending.origin, what, system_text(ending.system_error)),
            std::string(look_at_network), passing};
}

Error untrusted(const Ending& ending) {
    const auto hint =
        ending.ca_file.empty()
            ? std::string(
                  "if the service has a certificate of your own authority, name that in ca_file; otherwise "
                  "check the host's name, its certificate and this host's clock")
            : fmt::format("check that {} holds the authority that signed it, the host's name, and this host's clock",
                          ending.ca_file);
    return {ErrorCode::authentication_failed,
            ending.origin + ": its TLS certificate is not trusted" + in_brackets(ending.detail), hint};
}

Error no_http(const Ending& ending) {
    return {ErrorCode::server_error, ending.origin + ": the answer is not HTTP as it should be",
            "check that the port is the service's own"};
}

}  // namespace

Error failure_from(const Ending& ending) {
    switch (ending.code) {
        case CURLE_COULDNT_RESOLVE_HOST:
            // Also what a host without a network says for a while: so it passes.
            return {ErrorCode::unreachable, ending.origin + ": the host's name cannot be resolved",
                    "check the name, and this host's DNS", passing};
        case CURLE_COULDNT_CONNECT: return broken_off(ending, "no connection");
        case CURLE_OPERATION_TIMEDOUT: return timed_out(ending);
        case CURLE_GOT_NOTHING: return broken_off(ending, "the connection was closed without an answer");
        case CURLE_SEND_ERROR:
        case CURLE_SEND_FAIL_REWIND: return broken_off(ending, "the connection was lost while sending");
        case CURLE_RECV_ERROR: return broken_off(ending, "the connection was lost before the answer was complete");
        case CURLE_PARTIAL_FILE:
            return broken_off(
                ending, fmt::format("the answer was cut off after {} of its body", base::format_size(ending.received)));
        case CURLE_SSL_CONNECT_ERROR:
            return {ErrorCode::unreachable, ending.origin + ": no TLS connection" + in_brackets(ending.detail),
                    "check that this port speaks TLS", passing};
        case CURLE_PEER_FAILED_VERIFICATION:
        case CURLE_SSL_ISSUER_ERROR:
        case CURLE_SSL_INVALIDCERTSTATUS: return untrusted(ending);
        case CURLE_SSL_CACERT_BADFILE:
            return {ErrorCode::invalid_configuration,
                    ending.ca_file.empty() ? "the system's certificate authorities cannot be read"
                                           : ending.ca_file + ": cannot be read as a file of certificate authorities",
                    ending.ca_file.empty() ? "install ca-certificates" : "it should hold certificates in PEM form"};
        case CURLE_UNSUPPORTED_PROTOCOL:
            // Of the answer (it would be HTTP/0.9) or of the URL.
            if (ending.connected) return no_http(ending);
            [[fallthrough]];
        case CURLE_URL_MALFORMAT:
            return {ErrorCode::invalid_argument, ending.origin + ": not an http:// or https:// URL"};
        case CURLE_WEIRD_SERVER_REPLY:
        case CURLE_BAD_CONTENT_ENCODING:
        case CURLE_HTTP2: return no_http(ending);
        case CURLE_OUT_OF_MEMORY: return {ErrorCode::internal, "out of memory in libcurl", {}, passing};
        default:
            return {ErrorCode::unreachable,
                    fmt::format("{}: {}", ending.origin, base::to_lower(curl_easy_strerror(ending.code))),
                    std::string(look_at_network), passing};
    }
}

}  // namespace pgbakd::http
