#include "http/ssh_key.hpp"

#include "codec/hmac.hpp"
#include "support/catch.hpp"

using namespace pgbakd;

namespace {

std::string field(std::string_view text) {
    return std::string(3, '\0') + static_cast<char>(text.size()) + std::string(text);
}

// As OpenSSH's PROTOCOL.key has it, up to the public key.
std::string openssh_key(std::string_view cipher, std::string_view type) {
    const auto bytes = std::string("openssh-key-v1\0", 15) + field(cipher) + field("bcrypt") + field("options") +
                       std::string("\0\0\0\1", 4) + field(field(type) + field("public")) + field("private");
    const auto letters = codec::base64(std::as_bytes(std::span(bytes)));
    return "-----BEGIN OPENSSH PRIVATE KEY-----\n" + letters.substr(0, 70) + "\n" + letters.substr(70) +
           "\n-----END OPENSSH PRIVATE KEY-----\n";
}

std::string pem(const std::string& label, const std::string& body) {
    return "-----BEGIN " + label + "-----\n" + body + "\n-----END " + label + "-----\n";
}

}  // namespace

TEST_CASE("a private key tells its type, and whether it needs a passphrase") {
    struct Row {
        std::string text, type;
        bool encrypted;
    };
    for (const auto& [text, type, encrypted] : {
             Row{openssh_key("none", "ssh-ed25519"), "ssh-ed25519", false},
             Row{openssh_key("aes256-ctr", "ssh-rsa"), "ssh-rsa", true},
             Row{"a word before\n" + openssh_key("none", "ecdsa-sha2-nistp256"), "ecdsa-sha2-nistp256", false},
             Row{pem("RSA PRIVATE KEY", "AAAA"), "ssh-rsa", false},
             Row{pem("RSA PRIVATE KEY", "Proc-Type: 4,ENCRYPTED\n\nAAAA"), "ssh-rsa", true},
             Row{pem("EC PRIVATE KEY", "AAAA"), "ecdsa", false},
             Row{pem("PRIVATE KEY", "AAAA"), "", false},
             Row{pem("ENCRYPTED PRIVATE KEY", "AAAA"), "", true},
         }) {
        INFO(text);
        const auto key = http::read_client_key(text);
        REQUIRE(key);
        CHECK(key->type == type);
        CHECK(key->encrypted == encrypted);
    }
}

TEST_CASE("what is no private key is told apart") {
    struct Row {
        std::string text;
        std::string_view message, hint;
    };
    for (const auto& [text, message, hint] : {
             Row{"", "no private key", "ssh-keygen -t ed25519"},
             Row{"ssh-ed25519 AAAA me", "no private key", "without .pub"},
             Row{pem("CERTIFICATE", "AAAA"), "holds a certificate", ""},
             Row{pem("OPENSSH PRIVATE KEY", "AAAA"), "damaged", ""},
             Row{pem("OPENSSH PRIVATE KEY", "!"), "damaged", ""},
         }) {
        INFO(text);
        const auto key = http::read_client_key(text);
        REQUIRE_FALSE(key);
        CHECK(key.error().code() == base::ErrorCode::invalid_configuration);
        CHECK(key.error().message().find(message) != std::string::npos);
        CHECK(key.error().hint().find(hint) != std::string::npos);
    }
}
