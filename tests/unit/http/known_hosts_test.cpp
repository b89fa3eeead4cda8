#include "http/known_hosts.hpp"

#include "support/catch.hpp"

using namespace pgbakd::http;

namespace {

const std::string file = R"(# a comment
vault.example.com,192.0.2.1 ssh-ed25519 AAAAplain

VAULT2.example.com ecdsa-sha2-nistp256 AAAAupper a comment
[vault.example.com]:2222 ssh-rsa AAAAport
*.wild.example.com,!no.wild.example.com ssh-ed25519 AAAAwild
h?st ssh-ed25519 AAAAone
|1|MDEyMzQ1Njc4OWFiY2RlZmdoaWo=|Lyo1b/TdkJnPLeJnpSldqBtKhF8= ssh-rsa AAAAhashed
@revoked * ssh-ed25519 AAAArevoked
@cert-authority *.example.com ssh-ed25519 AAAAauthority
truncated.example.com ssh-ed25519
)";

}  // namespace

TEST_CASE("known_hosts names hosts plainly, by patterns and hashed") {
    struct Row {
        std::string host;
        std::uint16_t port;
        std::vector<std::string> blobs;
    };
    for (const auto& [host, port, blobs] : {
             Row{"vault.example.com", 22, {"AAAAplain"}},
             Row{"Vault.Example.COM", 22, {"AAAAplain"}},
             Row{"192.0.2.1", 22, {"AAAAplain"}},
             Row{"vault2.example.com", 22, {"AAAAupper"}},
             Row{"vault.example.com", 2222, {"AAAAport"}},
             Row{"vault.example.com", 2223, {}},
             Row{"192.0.2.1", 2222, {}},
             Row{"a.wild.example.com", 22, {"AAAAwild"}},
             Row{"no.wild.example.com", 22, {}},
             Row{"wild.example.com", 22, {}},
             Row{"host", 22, {"AAAAone"}},
             Row{"hoost", 22, {}},
             Row{"192.168.1.61", 22, {"AAAAhashed"}},
             Row{"192.168.1.62", 22, {}},
             Row{"truncated.example.com", 22, {}},
         }) {
        INFO(host << " " << port);
        std::vector<std::string> found;
        const auto keys = known_keys(file, host, port);
        for (const auto& key : keys.trusted) found.push_back(key.blob);
        CHECK(found == blobs);
        CHECK(keys.revoked == std::vector<HostKey>{{"ssh-ed25519", "AAAArevoked"}});
    }
    CHECK(known_keys("", "host", 22).trusted.empty());
    CHECK(known_keys("|1|x|y z w\n|1| a b\n* \n", "host", 22).trusted.empty());
}

TEST_CASE("fingerprints and types of keys are those of ssh-keygen") {
    // A key of ssh-keygen -t ed25519 with 32 bytes "A".
    std::string blob("\0\0\0\x0bssh-ed25519\0\0\0\x20", 19);
    blob += std::string(32, 'A');
    const auto bytes = std::as_bytes(std::span(blob));
    CHECK(key_type(bytes) == "ssh-ed25519");
    CHECK(fingerprint(bytes) == "SHA256:ycecTFElO4tMaWgqfHQDEUjUete0Tsl0wmvU/kkDXFc");
    CHECK(key_type(bytes.first(3)).empty());
    CHECK(key_type(bytes.first(8)).empty());
}
