// Who may speak to the API over the network: whoever has the token.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/secret.hpp"
#include "codec/hmac.hpp"

namespace pgbakd::service {

// A token that can be guessed keeps nobody out.
inline constexpr std::size_t shortest_token = 16;

// Compares in a time that tells nothing of the token, not even its length: what is compared are digests of it and of
// the guess under a key that nobody knows.
class TokenGuard {
  public:
    explicit TokenGuard(std::array<std::byte, 32> key) : key_(key) {}

    void set_token(const base::Secret& token);  // an empty one: nobody is let in
    // `authorization`: the header's value, "Bearer …" (RFC 6750, section 2.1).
    [[nodiscard]] bool admits(std::string_view authorization) const;

  private:
    [[nodiscard]] codec::Sha256Digest digest(std::string_view text) const;

    std::array<std::byte, 32> key_;
    std::optional<codec::Sha256Digest> token_;
};

// Counts those that were turned away, so that whoever guesses tokens cannot fill the log.
class Refusals {
  public:
    void note(std::string from) {
        ++count_;
        last_ = std::move(from);
    }
    [[nodiscard]] bool any() const noexcept { return count_ > 0; }
    // The line for all of them since the last one; it counts from nothing again.
    [[nodiscard]] std::string take_line();

  private:
    std::uint64_t count_ = 0;
    std::string last_;
};

}  // namespace pgbakd::service
