#include "config/network_types.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include "config/domain_types.hpp"

namespace pgbakd::config {
namespace {

using base::Result;

std::optional<std::uint16_t> parse_port(std::string_view text) {
    std::uint16_t port = 0;
    const auto* end = text.data() + text.size();
    const auto [stop, failure] = std::from_chars(text.data(), end, port);
    if (failure != std::errc{} || stop != end || port == 0 || text.starts_with('0')) return std::nullopt;
    return port;
}

bool is_address(int family, const std::string& text) {
    std::array<unsigned char, sizeof(in6_addr)> bytes{};
    return inet_pton(family, text.c_str(), bytes.data()) == 1;
}

// A host as it stands in a URL (an IPv6 address in brackets) and the port behind it.
struct Authority {
    std::string host;
    std::optional<std::uint16_t> port;
};
std::optional<Authority> parse_authority(std::string_view text) {
    Authority result;
    std::string_view rest;
    if (text.starts_with('[')) {
        const auto end = text.find(']');
        if (end == std::string_view::npos) return std::nullopt;
        result.host = text.substr(1, end - 1);
        rest = text.substr(end + 1);
        if (!is_address(AF_INET6, result.host)) return std::nullopt;
    } else {
        const auto colon = text.find(':');
        result.host = text.substr(0, colon);
        rest = colon == std::string_view::npos ? std::string_view() : text.substr(colon);
        const auto fits = [](char c) {
            return base::is_letter(c) || base::is_digit(c) || c == '-' || c == '.' || c == '_';
        };
        if (result.host.empty() || result.host.size() > 253 ||
            !std::all_of(result.host.begin(), result.host.end(), fits))
            return std::nullopt;
    }
    if (rest.empty()) return result;
    if (!rest.starts_with(':')) return std::nullopt;
    result.port = parse_port(rest.substr(1));
    if (!result.port) return std::nullopt;
    return result;
}

struct Url {
    bool is_plain = false;  // http://
    std::string origin;     // "https://host:port"
    Authority authority;
    bool has_more = false;  // behind the host
};

constexpr std::string_view https = "https://";
constexpr std::string_view http = "http://";

// Messages never hold the text: whoever knows it may write there.
Result<Url> parse_url(std::string_view text) {
    const std::string hint = "as in https://hooks.example.com/path";
    if (text.size() > 2048) return wrong("must be at most 2,048 bytes long");
    const bool is_plain = text.starts_with(http);
    if (!is_plain && !text.starts_with(https)) return wrong("must be a URL that begins with https://", hint);
    const auto is_odd = [](char c) { return c <= ' ' || c > '~'; };
    if (std::any_of(text.begin(), text.end(), is_odd))
        return wrong("has characters that a URL cannot have", "write them as %20 and the like");
    if (text.find('#') != std::string_view::npos) return wrong("has a \"#\", which is never sent", "remove that part");
    const auto scheme = is_plain ? http.size() : https.size();
    const auto end = std::min(text.find_first_of("/?", scheme), text.size());
    const auto middle = text.substr(scheme, end - scheme);
    if (middle.find('@') != std::string_view::npos)
        return wrong("must not contain a user or a password", "a webhook can have headers: {Authorization: …}");
    const auto authority = parse_authority(middle);
    if (!authority) return wrong("must have a host behind its //, and perhaps a port", hint);
    return Url{is_plain, std::string(text.substr(0, end)), *authority, end < text.size()};
}

Result<ListenAddress> parse_listen(std::string_view text) {
    const std::string hint = "as in listen: 127.0.0.1:8754, or [::1]:8754";
    const auto authority = parse_authority(text);
    if (!authority || !authority->port)
        return wrong(fmt::format("must be an address and a port (got \"{}\")", excerpt(text)), hint);
    auto host = authority->host == "localhost" ? "127.0.0.1" : authority->host;
    if (!is_address(AF_INET, host) && !is_address(AF_INET6, host))
        return wrong(fmt::format("must be an address of this host, not a name (got \"{}\")", excerpt(text)), hint);
    return ListenAddress{std::move(host), *authority->port};
}

Result<std::string> parse_mail_server(std::string_view text) {
    const std::string hint = "as in url: smtps://mail.example.com, or smtp://mail.example.com:587";
    const std::string_view scheme = text.starts_with("smtps://") ? "smtps://" : "smtp://";
    if (!text.starts_with(scheme))
        return wrong(fmt::format("must begin with smtps:// or smtp:// (got \"{}\")", excerpt(text)), hint);
    auto host = text.substr(scheme.size());
    if (host.ends_with('/')) host.remove_suffix(1);
    if (host.find('@') != std::string_view::npos)
        return wrong("must not contain a user or a password", "user and password are keys of their own");
    if (!parse_authority(host))
        return wrong(fmt::format("must be a mail server and perhaps a port (got \"{}\")", excerpt(text)), hint);
    return std::string(scheme) + std::string(host);
}

void check_url(Problems& problems, const Node& node, const model::SecretReference& secret, PlainHttp plain) {
    if (node.refused || secret.kind != model::SecretReference::Kind::literal) return;
    const auto url = parse_url(secret.literal.reveal());
    if (!url) return problems.error(node, url.error().message(), url.error().hint());
    if (!url->is_plain || is_loopback(url->authority.host)) return;
    const auto message = fmt::format("http:// sends it to {} for everybody on the way to read", url->authority.host);
    const std::string hint = "use https://";
    if (plain == PlainHttp::refused)
        problems.error(node, message, hint);
    else
        problems.warning(node, message, hint);
}

}  // namespace

bool is_loopback(std::string_view host) {
    if (host == "localhost" || host.ends_with(".localhost") || host == "::1") return true;
    const std::string text(host);
    constexpr std::string_view mapped = "::ffff:";
    const auto inner = text.starts_with(mapped) ? text.substr(mapped.size()) : text;
    return inner.starts_with("127.") && is_address(AF_INET, inner);
}

bool ListenAddress::is_loopback() const {
    return config::is_loopback(host);
}

std::string ListenAddress::text() const {
    const bool is_v6 = host.find(':') != std::string::npos;
    return is_v6 ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

Type<ListenAddress> listen_address() {
    return text_form<ListenAddress>("an address and a port (`127.0.0.1:8754`)", parse_listen,
                                    [](const ListenAddress& value) { return value.text(); });
}

Type<model::SecretReference> secret_url(PlainHttp plain) {
    auto type = secret();
    type.words = "a URL, or `{env: NAME}`, `{file: PATH}`, `{credential: NAME}`";
    auto read = [read = type.read, plain](Problems& problems, const Node& node, model::SecretReference& value) {
        read(problems, node, value);
        check_url(problems, node, value, plain);
    };
    auto write = [write = type.write](const model::SecretReference& value) {
        if (value.kind != model::SecretReference::Kind::literal) return write(value);
        const auto url = parse_url(value.literal.reveal());
        return url ? yaml_scalar(url->origin + (url->has_more ? "/***" : "")) : write(value);
    };
    return {type.words, std::move(read), std::move(write)};
}

Type<std::string> mail_server() {
    return text_form<std::string>("`smtps://HOST` or `smtp://HOST`, perhaps with a port", parse_mail_server,
                                  [](const std::string& value) { return value; });
}

}  // namespace pgbakd::config
