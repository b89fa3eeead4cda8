#include "codec/hmac.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

namespace pgbakd::codec {
namespace {

const unsigned char* data_of(Bytes bytes) {
    return reinterpret_cast<const unsigned char*>(bytes.data());
}

}  // namespace

Sha256Digest hmac_sha256(Bytes key, Bytes message) {
    // An empty key is a key; OpenSSL takes a null pointer for "the key of the last call".
    static constexpr unsigned char nothing = 0;
    Sha256Digest digest{};
    const auto* const key_bytes = key.empty() ? &nothing : data_of(key);
    if (HMAC(EVP_sha256(), key_bytes, static_cast<int>(key.size()), data_of(message), message.size(),
             reinterpret_cast<unsigned char*>(digest.data()), nullptr) == nullptr)
        throw base::Error(base::ErrorCode::internal, "OpenSSL refused to compute an HMAC");
    return digest;
}

Sha1Digest hmac_sha1(Bytes key, Bytes message) {
    static constexpr unsigned char nothing = 0;
    Sha1Digest digest{};
    const auto* const key_bytes = key.empty() ? &nothing : data_of(key);
    if (HMAC(EVP_sha1(), key_bytes, static_cast<int>(key.size()), data_of(message), message.size(),
             reinterpret_cast<unsigned char*>(digest.data()), nullptr) == nullptr)
        throw base::Error(base::ErrorCode::unsupported, "this system's OpenSSL does not allow SHA-1");
    return digest;
}

std::string hex(Bytes bytes) {
    static constexpr char digits[] = "0123456789abcdef";
    std::string text;
    text.reserve(2 * bytes.size());
    for (const auto byte : bytes) {
        const auto value = std::to_integer<unsigned>(byte);
        text += digits[value >> 4U];
        text += digits[value & 15U];
    }
    return text;
}

std::string base64(Bytes bytes) {
    std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');  // OpenSSL adds a NUL
    const auto length =
        EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), data_of(bytes), static_cast<int>(bytes.size()));
    text.resize(static_cast<std::size_t>(length));
    return text;
}

std::optional<std::vector<std::byte>> from_base64(std::string_view text) {
    if (text.size() % 4 != 0) return std::nullopt;
    // OpenSSL trims what it likes; only the alphabet itself is Base64.
    const auto body = text.substr(0, text.find('='));
    const auto padding = text.size() - body.size();
    static constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    if (padding > 2 || text.substr(body.size()).find_first_not_of('=') != std::string_view::npos ||
        body.find_first_not_of(alphabet) != std::string_view::npos)
        return std::nullopt;
    std::vector<std::byte> bytes(text.size() / 4 * 3);
    const auto length =
        EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                        reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
    if (length < 0) return std::nullopt;
    bytes.resize(static_cast<std::size_t>(length) - padding);
    return bytes;
}

struct ContentMd5::Context {
    struct Free {
        void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
    };
    std::unique_ptr<EVP_MD_CTX, Free> handle{EVP_MD_CTX_new()};
};

ContentMd5::ContentMd5() : context_(std::make_unique<Context>()) {
    if (EVP_DigestInit_ex(context_->handle.get(), EVP_md5(), nullptr) != 1)
        throw base::Error(base::ErrorCode::unsupported, "this system's OpenSSL does not allow MD5");
}

ContentMd5::~ContentMd5() = default;

void ContentMd5::update(Bytes bytes) {
    if (EVP_DigestUpdate(context_->handle.get(), bytes.data(), bytes.size()) != 1)
        throw base::Error(base::ErrorCode::internal, "OpenSSL refused to compute an MD5 digest");
}

std::string ContentMd5::base64_digest() {
    std::array<std::byte, EVP_MAX_MD_SIZE> digest{};
    unsigned int size = 0;
    if (EVP_DigestFinal_ex(context_->handle.get(), reinterpret_cast<unsigned char*>(digest.data()), &size) != 1)
        throw base::Error(base::ErrorCode::internal, "OpenSSL refused to compute an MD5 digest");
    return base64(Bytes(digest).first(size));
}

std::string content_md5(Bytes bytes) {
    ContentMd5 hash;
    hash.update(bytes);
    return hash.base64_digest();
}

}  // namespace pgbakd::codec
