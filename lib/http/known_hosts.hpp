// Which keys of SSH servers an administrator trusts: OpenSSH's known_hosts, as sshd(8) describes it. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pgbakd::http {

struct HostKey {
    std::string type;  // "ssh-ed25519"
    std::string blob;  // Base64 of what the server sends
    friend bool operator==(const HostKey&, const HostKey&) = default;
};

struct KnownKeys {
    std::vector<HostKey> trusted;  // in the file's order
    std::vector<HostKey> revoked;  // of any host: lines marked @revoked that name this one
};

// The lines that name this host: plainly, by "*" and "?", or hashed; as "[host]:port" unless the port is 22. Lines that
// are marked @cert-authority are left out, for libcurl knows no certificates of hosts.
[[nodiscard]] KnownKeys known_keys(std::string_view text, std::string_view host, std::uint16_t port);

// How known_hosts names a host: "host", or "[host]:port".
[[nodiscard]] std::string known_name(std::string_view host, std::uint16_t port);

// "SHA256:…" of a key as the server sends it, as `ssh-keygen -l` prints it.
[[nodiscard]] std::string fingerprint(std::span<const std::byte> key);
// The type that the key itself tells, "ssh-ed25519"; empty if it is no key.
[[nodiscard]] std::string key_type(std::span<const std::byte> key);

}  // namespace pgbakd::http
