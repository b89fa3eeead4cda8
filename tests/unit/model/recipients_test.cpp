// What may stand where a recipient belongs, and that a secret key there is found out.
#include "model/recipients.hpp"

#include "support/catch.hpp"

namespace pgbakd {
namespace {

// The public key of age's manual page, and made-up ones.
const std::string age_key = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";
const std::string plugin_key = "age1yubikey1q2w7u3vpya839jxxuq8g0sedh3d740d4xvn639sqhr95ejj8vu3hyfumptt";
const std::string ssh_key =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKgv52muhXJ8Op7MbbX1Ipg2EL0j6cUMG3rRLmWm6oX1 a comment";
const std::string fingerprint = "9F55F7581B7FD01EB88D2A28FD565CEADCECA556";

}  // namespace

TEST_CASE("public keys of age are recipients, and nothing else is") {
    for (const auto& good : {age_key, plugin_key, ssh_key}) {
        CAPTURE(good);
        CHECK(model::check_age_recipient(good));
    }
    for (const std::string bad :
         {"", "age1", "age1short", "dba@example.com", "AGE1QL3Z7HJY54PW3HYWW5AYYFG7ZQGVC7W3J2ELW8Z", "ssh-ed25519",
          "--identity=/etc/shadow", "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8b",
          "ssh-rsa AAAA\n--recipient=x"}) {
        CAPTURE(bad);
        const auto status = model::check_age_recipient(bad);
        REQUIRE_FALSE(status);
        CHECK(status.error().message() == "is no recipient of age");
    }
    CHECK_FALSE(model::check_age_recipient("ssh-rsa AAAA" + std::string(3000, 'A')));
}

TEST_CASE("a secret key where a recipient belongs is named as one, and not repeated") {
    for (const std::string secret : {"AGE-SECRET-KEY-1QQQQ", "age-secret-key-1qqqq",
                                     "-----BEGIN OPENSSH PRIVATE KEY-----", "-----BEGIN PGP PRIVATE KEY BLOCK-----"})
        for (auto* check : {&model::check_age_recipient, &model::check_gpg_recipient}) {
            CAPTURE(secret);
            const auto status = check(secret);
            REQUIRE_FALSE(status);
            CHECK(status.error().message().starts_with("this is a secret key"));
            CHECK((status.error().message() + status.error().hint()).find(secret) == std::string::npos);
        }
}

TEST_CASE("keys of gpg are meant by what nobody else can have") {
    for (const auto& good : {fingerprint, "0x" + fingerprint, std::string("FD565CEADCECA556")}) {
        CAPTURE(good);
        CHECK(model::check_gpg_recipient(good));
    }
    for (const std::string bad : {"", "DCECA556", "dba@example.com", "9F55 F758", "ZZ565CEADCECA556", "--batch"}) {
        CAPTURE(bad);
        CHECK_FALSE(model::check_gpg_recipient(bad));
    }
}

TEST_CASE("a file of recipients has one a line") {
    const auto read = model::parse_recipients_file("# team\n\n" + age_key + "\r\n  " + ssh_key + "\n");
    REQUIRE(read);
    CHECK(*read == std::vector<std::string>{age_key, ssh_key});
    const auto message = [](const std::string& text) { return model::parse_recipients_file(text).error().message(); };
    CHECK(message("") == "there is no recipient in it");
    CHECK(message("# nobody\n") == "there is no recipient in it");
    CHECK(message(age_key + "\nx\n") == "line 2: is no recipient of age");
    CHECK(message(age_key + "\nAGE-SECRET-KEY-1Q\n").starts_with("line 2: this is a secret key"));
    std::string many;
    for (int i = 0; i < 101; ++i) many += age_key + "\n";
    CHECK(message(many) == "more than 100 recipients");
}

}  // namespace pgbakd
