// HMAC (RFC 2104, FIPS 198-1), MD5 (RFC 1321) and Base64 (RFC 4648) by OpenSSL: what requests are signed with and what
// some of them must carry, and what names are hashed with in known_hosts.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codec/sink.hpp"

namespace pgbakd::codec {

using Sha1Digest = std::array<std::byte, 20>;
using Sha256Digest = std::array<std::byte, 32>;

// Throws base::Error(internal) if OpenSSL refuses, which it does only when it is out of memory or broken.
[[nodiscard]] Sha256Digest hmac_sha256(Bytes key, Bytes message);

// Only where a format of others asks for it. Throws base::Error(unsupported) where the system's policy forbids SHA-1.
[[nodiscard]] Sha1Digest hmac_sha1(Bytes key, Bytes message);

// Lower-case digits, two for each byte.
[[nodiscard]] std::string hex(Bytes bytes);

// With padding, on one line.
[[nodiscard]] std::string base64(Bytes bytes);

// The bytes of a text that has its padding and no line ends; nothing if it is not Base64.
[[nodiscard]] std::optional<std::vector<std::byte>> from_base64(std::string_view text);

// Base64 of the MD5 digest, as the header Content-MD5 has it (RFC 1864): a check against accidents, not against people.
// Throws base::Error(unsupported) where the system's policy (FIPS) forbids MD5.
[[nodiscard]] std::string content_md5(Bytes bytes);
// The same of what comes piece by piece.
class ContentMd5 {
  public:
    ContentMd5();
    ~ContentMd5();
    ContentMd5(const ContentMd5&) = delete;
    ContentMd5& operator=(const ContentMd5&) = delete;
    void update(Bytes bytes);
    [[nodiscard]] std::string base64_digest();  // once

  private:
    struct Context;
    std::unique_ptr<Context> context_;
};

}  // namespace pgbakd::codec
