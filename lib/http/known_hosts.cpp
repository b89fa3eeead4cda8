#include "http/known_hosts.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "codec/hmac.hpp"
#include "codec/sha256.hpp"

namespace pgbakd::http {
namespace {

// The first word; what follows it stays in `rest`.
std::string_view next_word(std::string_view& rest) {
    rest = base::trim(rest);
    const auto end = std::min(rest.find_first_of(" \t"), rest.size());
    const auto word = rest.substr(0, end);
    rest.remove_prefix(end);
    return word;
}

// "*" stands for any characters, "?" for one.
bool matches(std::string_view pattern, std::string_view name) {
    std::size_t at = 0;
    std::size_t in_name = 0;
    std::size_t star = std::string_view::npos;
    std::size_t after_star = 0;
    while (in_name < name.size()) {
        if (at < pattern.size() && pattern[at] == '*') {
            star = at++;
            after_star = in_name;
        } else if (at < pattern.size() && (pattern[at] == '?' || pattern[at] == name[in_name])) {
            ++at;
            ++in_name;
        } else if (star != std::string_view::npos) {
            at = star + 1;
            in_name = ++after_star;
        } else {
            return false;
        }
    }
    return pattern.find_first_not_of('*', at) == std::string_view::npos;
}

// "|1|salt|hash", both in Base64.
bool matches_hash(std::string_view hashed, std::string_view name) {
    const auto parts = base::split(hashed, '|');
    if (parts.size() != 4 || parts[1] != "1") return false;
    const auto salt = codec::from_base64(parts[2]);
    if (!salt) return false;
    return codec::base64(codec::hmac_sha1(*salt, std::as_bytes(std::span(name)))) == parts[3];
}

bool names(std::string_view hosts, std::string_view name) {
    if (hosts.starts_with('|')) return matches_hash(hosts, name);
    bool found = false;
    const auto lower = base::to_lower(hosts);
    for (auto pattern : base::split(lower, ',')) {
        const bool negated = pattern.starts_with('!');
        if (negated) pattern.remove_prefix(1);
        if (!matches(pattern, name)) continue;
        // A negated pattern that matches ends it, wherever it stands.
        if (negated) return false;
        found = true;
    }
    return found;
}

}  // namespace

std::string known_name(std::string_view host, std::uint16_t port) {
    auto name = base::to_lower(host);
    return port == 22 ? name : "[" + name + "]:" + std::to_string(port);
}

KnownKeys known_keys(std::string_view text, std::string_view host, std::uint16_t port) {
    const auto name = known_name(host, port);
    KnownKeys keys;
    for (auto line : base::split(text, '\n')) {
        auto hosts = next_word(line);
        if (hosts.empty() || hosts.starts_with('#')) continue;
        std::string_view marker;
        if (hosts.starts_with('@')) {
            marker = hosts;
            hosts = next_word(line);
        }
        const auto type = next_word(line);
        const auto blob = next_word(line);
        if (blob.empty() || !names(hosts, name)) continue;
        const HostKey key{std::string(type), std::string(blob)};
        if (marker.empty()) keys.trusted.push_back(key);
        if (marker == "@revoked") keys.revoked.push_back(key);
    }
    return keys;
}

std::string fingerprint(std::span<const std::byte> key) {
    std::vector<std::byte> digest;
    const auto digits = codec::sha256_hex(key);
    for (std::size_t i = 0; i + 1 < digits.size(); i += 2)
        digest.push_back(static_cast<std::byte>(std::stoi(digits.substr(i, 2), nullptr, 16)));
    auto text = codec::base64(digest);
    text.erase(text.find_last_not_of('=') + 1);
    return "SHA256:" + text;
}

std::string key_type(std::span<const std::byte> key) {
    // RFC 4253, 6.6: its length in four bytes, most significant first, and the name.
    if (key.size() < 4) return {};
    std::size_t length = 0;
    for (const auto byte : key.first(4)) length = length << 8U | std::to_integer<std::size_t>(byte);
    if (length > key.size() - 4) return {};
    return {reinterpret_cast<const char*>(key.data()) + 4, length};
}

}  // namespace pgbakd::http
