#include "codec/sha256.hpp"

#include <openssl/evp.h>

#include <array>
#include <new>

#include "codec/hmac.hpp"

namespace pgbakd::codec {

struct Sha256::Context {
    struct Free {
        void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
    };
    std::unique_ptr<EVP_MD_CTX, Free> handle{EVP_MD_CTX_new()};
};

namespace {

// OpenSSL fails here only when it is out of memory or when SHA-256 is not available at all (a broken installation).
void must(int success) {
    if (success != 1) throw base::Error(base::ErrorCode::internal, "OpenSSL refused to compute a SHA-256 digest");
}

}  // namespace

Sha256::Sha256() : context_(std::make_unique<Context>()) {
    if (!context_->handle) throw std::bad_alloc();
    must(EVP_DigestInit_ex(context_->handle.get(), EVP_sha256(), nullptr));
}

Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(Bytes bytes) {
    if (!bytes.empty()) must(EVP_DigestUpdate(context_->handle.get(), bytes.data(), bytes.size()));
}

std::string Sha256::hex_digest() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int size = 0;
    must(EVP_DigestFinal_ex(context_->handle.get(), digest.data(), &size));
    return hex(std::as_bytes(std::span(digest).first(size)));
}

std::string sha256_hex(Bytes bytes) {
    Sha256 hash;
    hash.update(bytes);
    return hash.hex_digest();
}

}  // namespace pgbakd::codec
