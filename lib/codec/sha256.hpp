// SHA-256 (FIPS 180-4) by OpenSSL, incrementally.
#pragma once

#include <memory>
#include <string>

#include "codec/sink.hpp"

namespace pgbakd::codec {

class Sha256 {
  public:
    Sha256();
    ~Sha256();
    Sha256(Sha256&&) noexcept;
    Sha256& operator=(Sha256&&) noexcept;
    void update(Bytes bytes);
    // 64 lower-case hexadecimal digits. Once; update() is not allowed afterwards.
    [[nodiscard]] std::string hex_digest();

  private:
    struct Context;
    std::unique_ptr<Context> context_;
};

[[nodiscard]] std::string sha256_hex(Bytes bytes);

}  // namespace pgbakd::codec
