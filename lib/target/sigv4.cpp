#include "target/sigv4.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <span>

#include "base/text.hpp"
#include "codec/sha256.hpp"

namespace pgbakd::target {
namespace {

codec::Bytes bytes_of(std::string_view text) {
    return std::as_bytes(std::span(text));
}

constexpr bool is_unreserved(char c) noexcept {
    return base::is_letter(c) || base::is_digit(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

// Without spaces at both ends, and one space for several in between.
std::string canonical_value(std::string_view value) {
    std::string text;
    for (const char c : base::trim(value)) {
        if (c != ' ' || text.back() != ' ') text += c;
    }
    return text;
}

// Sorted by name; several of one name are joined in their order.
std::map<std::string, std::string> canonical_headers(const Fields& headers) {
    std::map<std::string, std::string> sorted;
    for (const auto& [name, value] : headers) {
        const auto [entry, is_new] = sorted.emplace(base::to_lower(name), canonical_value(value));
        if (!is_new) entry->second += "," + canonical_value(value);
    }
    return sorted;
}

std::string day(base::Timestamp now) {
    return signing_time(now).substr(0, 8);
}

std::string scope_text(const SigningScope& scope, base::Timestamp now) {
    return fmt::format("{}/{}/{}/aws4_request", day(now), scope.region, scope.service);
}

}  // namespace

std::string uri_encode(std::string_view text, Slash slash) {
    static constexpr char digits[] = "0123456789ABCDEF";
    std::string encoded;
    encoded.reserve(text.size());
    for (const char c : text) {
        if (is_unreserved(c) || (c == '/' && slash == Slash::keep)) {
            encoded += c;
            continue;
        }
        const auto byte = static_cast<unsigned char>(c);
        encoded += '%';
        encoded += digits[byte >> 4U];
        encoded += digits[byte & 15U];
    }
    return encoded;
}

std::string canonical_query(const Fields& query) {
    // Sorted as encoded: "%" stands before every letter and digit.
    Fields encoded;
    encoded.reserve(query.size());
    for (const auto& [name, value] : query)
        encoded.emplace_back(uri_encode(name, Slash::encode), uri_encode(value, Slash::encode));
    std::ranges::sort(encoded);
    std::string text;
    for (const auto& [name, value] : encoded) {
        if (!text.empty()) text += '&';
        text += name;
        text += '=';
        text += value;
    }
    return text;
}

std::string signed_headers(const Fields& headers) {
    std::string names;
    for (const auto& [name, value] : canonical_headers(headers)) {
        if (!names.empty()) names += ';';
        names += name;
    }
    return names;
}

std::string canonical_request(const SigningInput& input) {
    std::string headers;
    for (const auto& [name, value] : canonical_headers(input.headers)) headers += fmt::format("{}:{}\n", name, value);
    return fmt::format("{}\n{}\n{}\n{}\n{}\n{}", input.method, uri_encode(input.path, Slash::keep),
                       canonical_query(input.query), headers, signed_headers(input.headers), input.payload_hash);
}

std::string signing_time(base::Timestamp now) {
    const auto days = std::chrono::floor<std::chrono::days>(now);
    const std::chrono::year_month_day date(days);
    const std::chrono::hh_mm_ss time(std::chrono::floor<std::chrono::seconds>(now - days));
    return fmt::format("{:04}{:02}{:02}T{:02}{:02}{:02}Z", static_cast<int>(date.year()),
                       static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), time.hours().count(),
                       time.minutes().count(), time.seconds().count());
}

std::string string_to_sign(const SigningInput& input, const SigningScope& scope, base::Timestamp now) {
    return fmt::format("AWS4-HMAC-SHA256\n{}\n{}\n{}", signing_time(now), scope_text(scope, now),
                       codec::sha256_hex(bytes_of(canonical_request(input))));
}

codec::Sha256Digest signing_key(const base::Secret& secret_access_key, const SigningScope& scope, base::Timestamp now) {
    const base::Secret first("AWS4" + std::string(secret_access_key.reveal()));
    auto key = codec::hmac_sha256(bytes_of(first.reveal()), bytes_of(day(now)));
    for (const std::string_view text :
         {std::string_view(scope.region), std::string_view(scope.service), std::string_view("aws4_request")})
        key = codec::hmac_sha256(key, bytes_of(text));
    return key;
}

std::string authorization(const SigningInput& input, const Credentials& credentials, const SigningScope& scope,
                          base::Timestamp now) {
    const auto key = signing_key(credentials.secret_access_key, scope, now);
    const auto signature = codec::hmac_sha256(key, bytes_of(string_to_sign(input, scope, now)));
    return fmt::format("AWS4-HMAC-SHA256 Credential={}/{}, SignedHeaders={}, Signature={}", credentials.access_key_id,
                       scope_text(scope, now), signed_headers(input.headers), codec::hex(signature));
}

Signature sign(SigningInput input, const Credentials& credentials, const SigningScope& scope, base::Timestamp now) {
    Signature signature;
    signature.headers.emplace_back("x-amz-date", signing_time(now));
    if (scope.service == "s3") signature.headers.emplace_back("x-amz-content-sha256", input.payload_hash);
    input.headers.insert(input.headers.end(), signature.headers.begin(), signature.headers.end());
    if (!credentials.session_token.empty()) {
        signature.secret_headers.emplace_back("x-amz-security-token", credentials.session_token);
        input.headers.emplace_back("x-amz-security-token", credentials.session_token.reveal());
    }
    signature.secret_headers.emplace_back("authorization", base::Secret(authorization(input, credentials, scope, now)));
    return signature;
}

}  // namespace pgbakd::target
